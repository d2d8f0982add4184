/**
 * The choices that few people make.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Framework, Hardware } from '../tokens';
import { installerWord } from '../words';
import type { IFields } from './fields';
import { GpuUseFields } from './gpuUseFields';
import { CheckField, LinesField, SelectField, TextField } from './inputs';
import { ARCHITECTURES } from './targets';
import { driverSentence } from './variants';

/**
 * Properties of {@link MoreChoices}.
 */
export interface IMoreChoicesProps {
  trans: TranslationBundle;
  fields: IFields;
  /** `null` while unknown. */
  framework: Framework | null;
  /** `null` while unknown. */
  hardware: Hardware | null;
  /** Whether they are shown from the beginning. */
  startsOpen: boolean;
  onChange: (change: Partial<IFields>) => void;
  detailsRef: React.RefObject<HTMLDetailsElement>;
  targetRef: React.RefObject<HTMLInputElement>;
}

/**
 * Fields under a disclosure.
 */
export function MoreChoices(props: IMoreChoicesProps): JSX.Element {
  const { trans, fields, framework, hardware, onChange } = props;
  const automatic = trans.__('automatic');
  const pypi = fields.installer === 'pypi';
  return (
    <details ref={props.detailsRef} open={props.startsOpen} className="jp-GpuKernels-Form-more">
      <summary>{trans.__('More choices')}</summary>
      <div className="jp-GpuKernels-Form-grid">
        <TextField
          label={trans.__('Python')}
          value={fields.python}
          placeholder={automatic}
          hint={trans.__('For example 3.12; empty for the newest that fits.')}
          onChange={python => onChange({ python })}
        />
        <TextField
          label={trans.__('CUDA of the build')}
          value={fields.cuda}
          placeholder={automatic}
          hint={driverSentence(trans, hardware) || trans.__('For example 12.9; empty for what fits best.')}
          onChange={cuda => onChange({ cuda })}
        />
        <TextField
          label={trans.__('Build for another machine’s driver')}
          value={fields.targetCuda}
          placeholder={trans.__('this machine')}
          hint={trans.__('The highest CUDA of that driver, for example 12.9, as nvidia-smi shows it there.')}
          inputRef={props.targetRef}
          onChange={targetCuda => onChange({ targetCuda })}
        />
        <TextField
          label={trans.__('Build for another machine’s GPU')}
          value={fields.targetGpu}
          placeholder={trans.__('this machine’s')}
          hint={trans.__('Its name, architecture or compute capability: H100, hopper or 9.0.')}
          suggestions={ARCHITECTURES}
          onChange={targetGpu => onChange({ targetGpu })}
        />
        <SelectField
          label={trans.__('Installer')}
          value={fields.installer}
          options={(['auto', 'conda', 'pypi'] as const).map(value => ({ value, label: installerWord(trans, value) }))}
          hint={trans.__('Automatic takes conda where a channel answers, else PyPI.')}
          onChange={installer => onChange({ installer })}
        />
        <LinesField
          label={trans.__('Conda channels')}
          value={fields.channels}
          placeholder={trans.__('as configured')}
          hint={
            pypi
              ? trans.__('Not used with the installer PyPI.')
              : trans.__('Names or addresses, one per line; no other channels are asked then.')
          }
          onChange={channels => onChange({ channels })}
        />
        <LinesField
          label={pypi ? trans.__('Extra packages') : trans.__('Extra conda packages')}
          value={fields.packages}
          hint={trans.__('One per line, such as “scikit-learn >=1.5”.')}
          onChange={packages => onChange({ packages })}
        />
        <LinesField
          label={trans.__('Extra pip packages')}
          value={fields.pip}
          hint={trans.__('One per line, such as “einops>=0.8”; installed after all others.')}
          onChange={pip => onChange({ pip })}
        />
        <TextField
          label={trans.__('Display name')}
          value={fields.displayName}
          placeholder={trans.__('made from name, framework and CUDA')}
          hint={trans.__('What the Launcher and the Kernel menu show.')}
          onChange={displayName => onChange({ displayName })}
        />
        <CheckField
          label={trans.__('Add companions')}
          value={fields.companions}
          hint={framework?.companions.join(', ')}
          onChange={companions => onChange({ companions })}
        />
        <GpuUseFields trans={trans} value={fields} hardware={hardware} onChange={onChange} />
      </div>
    </details>
  );
}
