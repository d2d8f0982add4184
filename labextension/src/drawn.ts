/**
 * What the server answers that is shared, changed and adopted.
 */
import type { Environment, Plan, Stage } from './tokens';

export type PackageOrigin = 'asked' | 'framework' | 'companion' | 'dependency' | 'outside';

export interface InstalledPackage {
  name: string;
  version: string;
  build: string;
  source: string;
  stage: Stage;
  origin: PackageOrigin;
  size: number;
}

export interface FoundPackage {
  name: string;
  stage: Stage;
  source: string;
  versions: string[];
  summary: string;
  installed: string | null;
}

export interface PackageDifference {
  name: string;
  stage: Stage;
  before: string | null;
  after: string | null;
  size: number;
}

export interface EditPlan {
  plan: Plan;
  differences: PackageDifference[];
}

export type FileFormat =
  | 'environment.yml'
  | 'exact.yml'
  | 'explicit.txt'
  | 'pixi.lock'
  | 'conda-lock.yml'
  | 'requirements.txt'
  | 'recipe.json'
  | 'pack';

export interface ExportedFile {
  file_name: string;
  format: FileFormat;
  text: string;
  warnings: string[];
}

export interface ImportRequest {
  text: string;
  path: string;
  file_name: string;
  name: string | null;
  display_name: string | null;
  verify: boolean;
}

export interface ImportPlan {
  format: FileFormat;
  exact: boolean;
  spec: Plan['spec'];
  plan: Plan;
}

export interface ForeignEnvironment {
  prefix: string;
  kind: Environment['kind'];
  name: string;
  python: string;
  ipykernel: string | null;
  kernel_name: string;
  display_name: string;
  kernelspec: string;
  adopted: boolean;
  added: string[];
  obstacle: string;
}

export interface AdoptionRequest {
  prefix: string;
  name: string | null;
  display_name: string | null;
  install_ipykernel: boolean;
}

export interface ConfiguredValue {
  tool: string;
  key: string;
  value: string;
  source: string;
  overridden: string[];
}

export interface Mirror {
  id: string;
  title: string;
  channels: [string, string][];
  index: string;
  source: string;
  used: boolean;
}

export interface Measured {
  name: string;
  url: string;
  kind: string;
  reachable: boolean;
  error: string;
  cure: string;
  seconds: number | null;
  rate: number | null;
}

export interface ChannelsReport {
  channels: [string, string][];
  indexes: string[];
  values: ConfiguredValue[];
  mirrors: Mirror[];
  measured: Measured[];
  warnings: string[];
}
