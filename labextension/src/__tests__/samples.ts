/**
 * The things that a model knows, for tests: each as it commonly is, but for what a test is about.
 */
import type {
  Diagnosis,
  Environment,
  Finding,
  Framework,
  GpuReading,
  GpuUsage,
  Hardware,
  IDefaults,
  Job,
  KernelShare,
  Placement,
  Plan,
  Progress
} from '../tokens';

const GIGABYTE = 1e9;

/** An environment that is registered and verified on a GPU. */
export function anEnvironment(overrides: Partial<Environment> = {}): Environment {
  const name = overrides.name ?? 'tf-warp-speed';
  return {
    name,
    kernel_name: name.toLowerCase(),
    display_name: `${name} (TensorFlow 2.19 · CUDA 12.9)`,
    kind: 'conda',
    prefix: `/envs/${name}`,
    framework: 'tensorflow',
    framework_version: '2.19.0',
    python: '3.12.11',
    cuda: '12.9',
    variant: 'gpu',
    installer: 'conda',
    verification: {
      outcome: 'verified',
      sentence: 'TensorFlow computes on NVIDIA H200.',
      framework_version: '2.19.0',
      built_with_cuda: '12.9',
      devices: ['NVIDIA H200'],
      computation: '42.0',
      libraries: [],
      extras: [],
      seconds: 4.2,
      checked: '2026-11-20T18:00:00+00:00'
    },
    benchmark: null,
    registered: true,
    kernelspec: `/kernels/${name.toLowerCase()}`,
    created: '2026-11-20T17:59:00+00:00',
    memory: 'default',
    memory_fraction: 0.5,
    placement: aPlacement(),
    restart_needed: [],
    damaged: '',
    disk_bytes: 3 * GIGABYTE,
    ...overrides
  };
}

/** The GPUs of a kernel: as the server chooses, unless told. */
export function aPlacement(overrides: Partial<Placement> = {}): Placement {
  return { policy: 'auto', count: 1, devices: [], wait: 0, ...overrides };
}

/** How far a stage has come: nothing, unless told. */
export function aProgress(overrides: Partial<Progress> = {}): Progress {
  return {
    packages_done: 0,
    packages_total: 0,
    bytes_done: 0,
    bytes_total: 0,
    bytes_per_second: 0,
    detail: '',
    unit: 'packages',
    ...overrides
  };
}

/** A job that creates an environment and is downloading. */
export function aJob(overrides: Partial<Job> = {}): Job {
  return {
    id: 'job-1',
    kind: 'create',
    name: 'tf-warp-speed',
    state: 'running',
    stage: 'download',
    revision: 3,
    progress: aProgress({
      packages_done: 4,
      packages_total: 10,
      bytes_done: GIGABYTE / 2,
      bytes_total: GIGABYTE,
      bytes_per_second: GIGABYTE / 20
    }),
    log: [],
    spec: aSpec(),
    edit: null,
    source: '',
    file: '',
    plan: null,
    verification: null,
    benchmark: null,
    error: null,
    owner: { host: 'localhost', pid: 4242, started: 1 },
    local: true,
    attempts: 1,
    created: '2026-11-20T17:58:00+00:00',
    started: '2026-11-20T17:58:01+00:00',
    finished: '',
    ...overrides
  };
}

/** What a person asks for who changes nothing. */
export function aSpec(overrides: Partial<Plan['spec']> = {}): Plan['spec'] {
  return {
    name: 'tf-warp-speed',
    framework: 'tensorflow',
    variant: 'auto',
    version: null,
    python: null,
    cuda: null,
    target_cuda: null,
    target_gpu: null,
    installer: 'auto',
    channels: [],
    packages: [],
    pip: [],
    extras: [],
    companions: true,
    recipe: true,
    verify: true,
    display_name: null,
    sys_prefix: false,
    memory: 'default',
    memory_fraction: 0.5,
    placement: aPlacement(),
    ...overrides
  };
}

/** What a new kernel is made with by who has set nothing. */
export function someDefaults(overrides: Partial<IDefaults> = {}): IDefaults {
  return {
    installer: 'auto',
    channels: [],
    companions: true,
    memory: 'default',
    memory_fraction: 0.5,
    placement: 'auto',
    ...overrides
  };
}

/** A plan with two packages, on a GPU. */
export function aPlan(overrides: Partial<Plan> = {}): Plan {
  return {
    spec: aSpec(),
    installer: 'conda',
    installer_reason: 'The channel conda-forge answers.',
    variant: 'gpu',
    variant_reason: 'The driver supports CUDA 13.0.',
    python: '3.12.11',
    framework_version: '2.19.0',
    cuda: '12.9',
    cuda_reason: 'It is the newest that the driver supports.',
    target_cuda: '13.0',
    channels: ['conda-forge'],
    packages: [
      { name: 'python', version: '3.12.11', build: 'h1', source: 'conda-forge', size: 3e7, stage: 'link' },
      { name: 'tensorflow', version: '2.19.0', build: 'cuda129', source: 'conda-forge', size: 5e8, stage: 'link' }
    ],
    download_bytes: 53e7,
    disk_bytes: 16e8,
    warnings: [],
    refusal: null,
    ...overrides
  };
}

/** A framework with a recipe for each variant, from conda and from PyPI. */
export function aFramework(overrides: Partial<Framework> = {}): Framework {
  return {
    id: 'tensorflow',
    title: 'TensorFlow',
    summary: 'Deep learning with graphs and Keras.',
    nickname: 'tf',
    recipes: (['gpu', 'cpu'] as const).flatMap(variant =>
      (['conda', 'pypi'] as const).map(installer => aRecipe({ variant, installer }))
    ),
    package: ['tensorflow'],
    import_name: 'tensorflow',
    logo: 'tensorflow',
    legacy: '',
    links: [],
    extras: [],
    companions: ['numpy', 'pandas', 'matplotlib'],
    verification: '',
    benchmark: 'tensorflow',
    absences: [],
    elsewhere: { apple: '', amd: '', none: '' },
    source: '',
    ...overrides
  };
}

/** One way to install a framework. */
export function aRecipe(overrides: Partial<Framework['recipes'][number]> = {}): Framework['recipes'][number] {
  return {
    variant: 'gpu',
    installer: 'conda',
    packages: ['tensorflow{version}'],
    versions: '',
    python: '>=3.10,<3.14',
    platforms: [],
    cuda: '',
    cuda_package: '',
    torch_backend: '',
    only_exact: false,
    capability: '',
    native: '',
    before_turing: [],
    channels: [],
    sees_cuda: false,
    guard: null,
    note: '',
    ...overrides
  };
}

/** A machine with one GPU. */
export function hardware(overrides: Partial<Hardware> = {}): Hardware {
  return {
    driver: '580.159.04',
    cuda: '13.0',
    gpus: [aGpu()],
    vendor: 'nvidia',
    reason: '',
    notes: [],
    ...overrides
  };
}

/** A GPU that is whole. */
export function aGpu(overrides: Partial<Hardware['gpus'][number]> = {}): Hardware['gpus'][number] {
  return {
    index: 0,
    uuid: 'GPU-1',
    name: 'NVIDIA H200',
    memory_total: 15e10,
    compute_capability: '9.0',
    compute_mode: 'default',
    mig: false,
    instances: [],
    ...overrides
  };
}

/** A GPU at work. */
export function aReading(overrides: Partial<GpuReading> = {}): GpuReading {
  return { uuid: 'GPU-1', utilization: 37, memory_used: 3e10, memory_total: 15e10, processes: [], ...overrides };
}

/** A kernel of this server that computes on a GPU. */
export function aShare(overrides: Partial<KernelShare> = {}): KernelShare {
  return {
    kernel_id: 'kernel-of-train.ipynb',
    kernel_name: 'tf-warp-speed',
    title: 'train.ipynb',
    here: true,
    gpu: 'GPU-1',
    pid: 4242,
    memory: 2e10,
    leased: true,
    idle_since: '',
    ...overrides
  };
}

/** What the GPUs are doing. */
export function aUsage(overrides: Partial<GpuUsage> = {}): GpuUsage {
  return { taken: '2026-11-20T18:00:00+00:00', readings: [aReading()], shares: [aShare()], notes: [], ...overrides };
}

/** Something that the doctor has found. */
export function aFinding(overrides: Partial<Finding> = {}): Finding {
  return {
    check: 'driver-too-old',
    severity: 'problem',
    subject: '',
    sentence: 'The driver is too old.',
    evidence: ['driver 450.80'],
    cure: 'Update it.',
    remedy: null,
    link: '',
    ...overrides
  };
}

/** What the doctor has to say. */
export function aDiagnosis(overrides: Partial<Diagnosis> = {}): Diagnosis {
  return {
    subject: '',
    taken: '2026-11-20T18:00:00+00:00',
    seconds: 1.2,
    findings: [],
    examined: [{ check: 'driver-too-old', title: 'The age of the driver', findings: 0, skipped: '' }],
    ...overrides
  };
}
