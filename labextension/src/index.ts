/**
 * The plugins.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { benchmarksPlugin } from './plugins/benchmarks';
import { commandsPlugin } from './plugins/commands';
import { modelPlugin } from './plugins/model';
import { notificationsPlugin } from './plugins/notifications';
import { panelPlugin } from './plugins/panel';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  modelPlugin,
  commandsPlugin,
  panelPlugin,
  notificationsPlugin,
  benchmarksPlugin
];

export default plugins;
