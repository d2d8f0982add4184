/**
 * The frame of the panel: nothing is fetched before it is shown.
 */
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { LazyPanel } from '../lazyPanel';
import { FakeGpuKernels } from './fakes';

const made = vi.fn<() => Widget>();

vi.mock('../panel', () => ({
  GpuKernelsPanel: function () {
    return made();
  }
}));

let frame: LazyPanel;
let model: FakeGpuKernels;

beforeEach(() => {
  made.mockReset();
  model = new FakeGpuKernels();
  const options = { model, commands: new CommandRegistry(), sessions: {}, specs: {}, translator: nullTranslator };
  frame = new LazyPanel(options as unknown as ConstructorParameters<typeof LazyPanel>[0]);
  frame.hide();
  Widget.attach(frame, document.body);
});

afterEach(() => frame.dispose());

describe('The frame of the panel', () => {
  it('asks for nothing while it is hidden', () => {
    expect([model.calls, frame.node.childElementCount]).toEqual([[], 0]);
  });

  it('reads and shows the panel when it is first shown', async () => {
    const content = new Widget();
    made.mockReturnValue(content);
    frame.show();
    expect(model.calls).toEqual([{ method: 'start', args: [] }]);
    await vi.waitFor(() => expect(content.isVisible).toBe(true));
    frame.hide();
    frame.show();
    expect(made).toHaveBeenCalledOnce();
    expect([...frame.node.children]).toEqual([content.node]);
  });

  it('hands the keyboard to the panel', async () => {
    const content = new Widget();
    const activated = vi.spyOn(content, 'activate');
    made.mockReturnValue(content);
    frame.show();
    frame.activate();
    await vi.waitFor(() => expect(activated).toHaveBeenCalled());
  });

  it('says that it cannot be loaded, and tries again when it is shown again', async () => {
    made.mockImplementationOnce(() => {
      throw new Error('Loading chunk 7 failed.');
    });
    frame.show();
    await vi.waitFor(() =>
      expect(frame.node.querySelector('[role=alert]')?.textContent).toBe(
        'The panel could not be loaded: reload the page. (Error: Loading chunk 7 failed.)'
      )
    );
    const content = new Widget();
    made.mockReturnValueOnce(content);
    frame.hide();
    frame.show();
    await vi.waitFor(() => expect([...frame.node.children]).toEqual([content.node]));
  });
});
