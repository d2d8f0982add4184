/**
 * The doctor's view, in its place.
 */
import React from 'react';

import { CommandIDs } from '../commandIds';
import { diagnoseIcon } from '../icons';
import { type IViewPlace, openView, showOpen } from '../mainView';
import { Examination } from './examination';
import { DiagnosisView } from './view';

/** There is one at a time. */
const ID = 'jp-gpu-kernels-diagnosis';

/**
 * Show the doctor's view, and look.
 *
 * @param subject - Name of the environment to look at besides the machine; empty for all.
 */
export function openDiagnosis(place: IViewPlace, subject: string): void {
  const { app, model, translator } = place;
  const trans = translator.load('jupyter_gpu_kernels');
  // The remedies are disabled while jobs are at work on what they would cure.
  void model.start();
  const open = showOpen(place, ID);
  if (open) {
    void (open.owned as Examination).look(subject);
    return;
  }
  const showJobs = (): void => {
    if (app.commands.hasCommand(CommandIDs.show)) {
      void app.commands.execute(CommandIDs.show, { keepFocus: true });
    }
  };
  const examination = new Examination(model, subject, showJobs);
  void examination.look();
  openView(place, {
    id: ID,
    label: trans.__('Diagnosis'),
    caption: trans.__('What is wrong with this machine and its kernels'),
    icon: diagnoseIcon,
    type: 'Diagnosis',
    content: <DiagnosisView examination={examination} trans={trans} />,
    owned: examination
  });
}
