/**
 * The fields of what kernels are given of the GPUs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { devicesOf, type IDevice } from '../devices';
import { memory as memoryAmount } from '../format';
import type { GpuPolicy, Hardware, MemoryPreset } from '../tokens';
import { memoryWord, policyWord } from '../words';
import { flawsOf, type IGpuUse, LEAST_PERCENT, POLICIES, PRESETS, takesCount } from './gpuUse';
import { SelectField, TextField } from './inputs';

/**
 * Properties of {@link GpuUseFields}.
 */
export interface IGpuUseFieldsProps {
  trans: TranslationBundle;
  value: IGpuUse;
  /** `null` while unknown. */
  hardware: Hardware | null;
  onChange: (change: Partial<IGpuUse>) => void;
}

/**
 * Which GPUs, and how much of their memory.
 */
export function GpuUseFields({ trans, value, hardware, onChange }: IGpuUseFieldsProps): JSX.Element {
  const flaws = flawsOf(value);
  const devices = offered(hardware, value);
  const policies = POLICIES.filter(policy => policy !== 'fixed' || devices.length > 0);
  return (
    <>
      <SelectField<GpuPolicy>
        label={trans.__('GPUs of a kernel')}
        value={value.policy}
        options={policies.map(policy => ({ value: policy, label: policyWord(trans, policy) }))}
        hint={hintOf(trans, value.policy)}
        onChange={policy => onChange({ policy })}
      />
      {takesCount(value.policy) && (
        <TextField
          label={trans.__('How many')}
          value={value.gpuCount}
          number={{ min: 1, step: 1 }}
          invalid={flaws.includes('count')}
          problem={id => {
            const problem = flaws.includes('count')
              ? trans.__('A whole number, at least 1.')
              : tooMany(trans, value, hardware);
            return problem ? <p id={id}>{problem}</p> : null;
          }}
          onChange={gpuCount => onChange({ gpuCount })}
        />
      )}
      {value.policy === 'fixed' && (
        <Devices
          trans={trans}
          devices={devices}
          chosen={value.devices}
          onChange={chosen => onChange({ devices: chosen })}
        />
      )}
      <SelectField<MemoryPreset>
        label={trans.__('Memory of the GPU')}
        value={value.memory}
        options={PRESETS.map(preset => ({ value: preset, label: memoryWord(trans, preset) }))}
        hint={trans.__('Some frameworks take all of it at once, which leaves none for other notebooks.')}
        onChange={memory => onChange({ memory })}
      />
      {value.memory === 'fraction' && (
        <TextField
          label={trans.__('Percent of the memory')}
          value={value.memoryPercent}
          number={{ min: LEAST_PERCENT, max: 100, step: 'any' }}
          hint={trans.__('One kernel may take as much of each of its GPUs.')}
          invalid={flaws.includes('percent')}
          problem={id => (flaws.includes('percent') ? <p id={id}>{trans.__('More than 0, at most 100.')}</p> : null)}
          onChange={memoryPercent => onChange({ memoryPercent })}
        />
      )}
    </>
  );
}

interface IDevicesProps {
  trans: TranslationBundle;
  devices: readonly IDevice[];
  /** Their identifiers. */
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}

function Devices({ trans, devices, chosen, onChange }: IDevicesProps): JSX.Element {
  return (
    <fieldset className="jp-GpuKernels-Form-devices">
      <legend>{trans.__('Which')}</legend>
      {devices.map(({ uuid, name, memory }) => (
        <label key={uuid} className="jp-GpuKernels-Form-check" title={uuid}>
          <input
            type="checkbox"
            required={chosen.length === 0}
            checked={chosen.includes(uuid)}
            // In the order of the driver, whatever the order of the clicks.
            onChange={event =>
              onChange(
                devices
                  .map(device => device.uuid)
                  .filter(other => (other === uuid ? event.target.checked : chosen.includes(other)))
              )
            }
          />
          {memory > 0 ? trans._p('GPU and memory', '%1 (%2)', name, memoryAmount(memory)) : name}
        </label>
      ))}
      {chosen.length === 0 && <p role="status">{trans.__('Choose one at least.')}</p>}
    </fieldset>
  );
}

/** What becomes of kernels that want more GPUs than this machine has; empty where it has as many, or none. */
function tooMany(trans: TranslationBundle, { gpuCount }: IGpuUse, hardware: Hardware | null): string {
  const gpus = hardware?.gpus ?? [];
  // Of a GPU that is split a kernel gets one instance, and no more than that.
  const whole = Math.max(1, gpus.filter(({ mig }) => !mig).length);
  return gpus.length > 0 && Number(gpuCount) > whole
    ? trans._n('A kernel can have %1 GPU here.', 'A kernel can have %1 GPUs here.', whole)
    : '';
}

/** What can be chosen: what is there, and what was chosen when it was. */
function offered(hardware: Hardware | null, { devices: chosen }: IGpuUse): IDevice[] {
  const devices = devicesOf(hardware);
  const gone = chosen.filter(uuid => !devices.some(device => device.uuid === uuid));
  return [...devices, ...gone.map(uuid => ({ uuid, name: uuid, memory: 0 }))];
}

function hintOf(trans: TranslationBundle, policy: GpuPolicy): string {
  const hints: Record<GpuPolicy, string> = {
    auto: trans.__('The least used one where there are several.'),
    'least-used': trans.__('That with the fewest kernels and the most free memory when the kernel starts.'),
    exclusive: trans.__('No other GPU kernel gets them meanwhile; where none is free, the kernel says who has them.'),
    all: trans.__('Every GPU that the server may use.'),
    fixed: trans.__('Those chosen here, whoever else has them.')
  };
  return hints[policy] ?? '';
}
