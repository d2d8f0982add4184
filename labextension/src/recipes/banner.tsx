/**
 * The banner above a notebook whose kernel is missing here.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Button, ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import React, { useId } from 'react';

import '../../style/panel.css';
import '../../style/form.css';
import '../../style/recipes.css';

import { JobProgress } from '../components/jobProgress';
import { useKeptFocus } from '../components/keptFocus';
import { explain } from '../explanation';
import { Problem } from '../form/problem';
import type { Job } from '../tokens';
import { stageWord, stateWord } from '../words';
import { isMaking, type KernelOffer } from './offer';

/**
 * A banner that is as high as what it says.
 */
export class OfferBanner extends ReactWidget {
  constructor(
    private readonly _offer: KernelOffer,
    private readonly _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-GpuKernels-offer');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', _trans.__('The kernel of this notebook'));
  }

  override dispose(): void {
    this._observer.disconnect();
    this._offer.dispose();
    super.dispose();
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.renderPromise?.then(() => {
      const content = this.node.firstElementChild;
      if (content) {
        this._observer.observe(content);
      }
    });
  }

  protected override render(): JSX.Element {
    return (
      <UseSignal signal={this._offer.changed}>{() => <OfferView offer={this._offer} trans={this._trans} />}</UseSignal>
    );
  }

  // A panel of boxes gives its widgets no more room than they demand.
  private readonly _observer = new ResizeObserver(() => {
    const height = this.node.firstElementChild?.getBoundingClientRect().height ?? 0;
    this.node.style.minHeight = `${Math.ceil(height)}px`;
    this.parent?.fit();
  });
}

/**
 * Properties of {@link OfferView}.
 */
export interface IOfferViewProps {
  offer: KernelOffer;
  trans: TranslationBundle;
}

/**
 * What is missing, what can be done, and how far that has come.
 */
export function OfferView(props: IOfferViewProps): JSX.Element {
  const { job } = props.offer;
  const kept = useKeptFocus();
  return (
    <div className="jp-GpuKernels-offerContent" {...kept}>
      {job && isMaking(job) ? <Building {...props} job={job} /> : <Choice {...props} />}
    </div>
  );
}

function Choice({ offer, trans }: IOfferViewProps): JSX.Element {
  const { carried, job, failure, isHere, instead } = offer;
  const failed = failure ?? (job?.state === 'failed' && job.error ? { reason: job.error } : null);
  return (
    <>
      <p role="status">
        {isHere
          ? trans.__('This notebook was made with the kernel %1, which is on this computer now.', carried.title)
          : trans.__('This notebook was made with the kernel %1, which is not on this computer.', carried.title)}
      </p>
      {failed ? (
        <div role="alert">
          <Problem trans={trans} {...explain(trans, failed.reason)} />
        </div>
      ) : null}
      <div className="jp-GpuKernels-offerActions">
        {isHere ? (
          <Button className="jp-mod-styled jp-mod-accept" onClick={() => void offer.use(carried.kernelName)}>
            {trans.__('Use it')}
          </Button>
        ) : (
          <Button className="jp-mod-styled jp-mod-accept" onClick={() => void offer.build()}>
            {trans.__('Build this kernel')}
          </Button>
        )}
        {instead && !isHere ? (
          <Button className="jp-mod-styled" onClick={() => void offer.use(instead.kernel_name)}>
            {trans.__('Use %1 instead', instead.name)}
          </Button>
        ) : null}
        <Button className="jp-mod-styled" onClick={() => offer.dismiss()}>
          {trans.__('Dismiss')}
        </Button>
      </div>
    </>
  );
}

function Building({ offer, job, trans }: IOfferViewProps & { job: Job }): JSX.Element {
  const id = useId();
  const doing = job.stage ? stageWord(trans, job.stage) : stateWord(trans, job.state);
  return (
    <>
      <p id={id} role="status">
        {trans.__('Building the kernel %1 of this notebook: %2', job.name, doing)}
      </p>
      <JobProgress job={job} labelledBy={id} trans={trans} />
      <div className="jp-GpuKernels-offerActions">
        <Button className="jp-mod-styled" onClick={() => void offer.cancel()}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </>
  );
}
