/**
 * The plugin that tells the end of jobs; it does nothing until one ends.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import type { Event } from '@jupyterlab/services';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { fetchPart } from '../attempt';
import { jobEvent } from '../jobStream';
import { IGpuKernels, type Job } from '../tokens';

export const notificationsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-gpu-kernels:notifications',
  description: 'Tells when a GPU kernel is ready, or why it is not.',
  autoStart: true,
  requires: [IGpuKernels],
  optional: [ITranslator],
  activate: (app: JupyterFrontEnd, model: IGpuKernels, translator: ITranslator | null): void => {
    const messages = translator ?? nullTranslator;
    const tell = async (job: Job): Promise<void> => {
      const part = await fetchPart(import('../notifications'), messages);
      part?.notifyEnd(job, messages.load('jupyter_gpu_kernels'), app.commands);
    };
    // The list of jobs has those of every process of this person: of a command line, of another server. Their ends were
    // told there. Events come from this server only.
    const ours = new Set<string>();
    app.serviceManager.events.stream.connect((_: unknown, emission: Event.Emission) => {
      const event = jobEvent(emission);
      if (event) {
        ours.add(event.id);
      }
    });
    model.jobEnded.connect((_: unknown, job: Job) => {
      if (ours.delete(job.id)) {
        void tell(job);
      }
    });
    model.listen();
  }
};
