/**
 * The plugins.
 */
import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { benchmarksPlugin } from './plugins/benchmarks';
import { commandsPlugin } from './plugins/commands';
import { modelPlugin } from './plugins/model';
import { notificationsPlugin } from './plugins/notifications';
import { panelPlugin } from './plugins/panel';
import { recipesPlugin } from './plugins/recipes';

const plugins: JupyterFrontEndPlugin<unknown>[] = [
  modelPlugin,
  commandsPlugin,
  panelPlugin,
  notificationsPlugin,
  benchmarksPlugin,
  recipesPlugin
];

export default plugins;
