/**
 * A Jupyter server behind `fetch`, and the services of JupyterLab as far as the model needs them.
 */
import { type Event, ServerConnection, type ServiceManager } from '@jupyterlab/services';
import { Signal, Stream } from '@lumino/signaling';

import { JOB_SCHEMA_ID } from '../jobStream';
import type { LiveKernels } from '../liveKernels';
import type { Environment, ErrorReport, Framework, Hardware, Job } from '../tokens';
import { aFramework, hardware } from './samples';

/** What was asked of the server. */
export interface IAsked {
  /** `GET jobs/1`: below the namespace, without what keeps caches away. */
  what: string;
  body: unknown;
}

type Answer = () => Response | Promise<Response>;

/** An answer in JSON. */
export function json(data: unknown, status = 200): Response {
  return new Response(JSON.stringify(data), { status, headers: { 'Content-Type': 'application/json' } });
}

/** A refusal in the shape of our server. */
export function refusal(report: Partial<ErrorReport>, status: number): Response {
  return json({ code: 'conflict', message: 'That is not possible.', cure: '', detail: '', ...report }, status);
}

/** A server that knows environments and jobs. */
export class FakeServer {
  environments: Environment[] = [];
  jobs: Job[] = [];
  hardware: Hardware = hardware();
  frameworks: Framework[] = [aFramework()];

  /** Answers that go before those of the lists above, by what is asked (`POST plans`). */
  readonly answers = new Map<string, Answer>();

  /** Set while the server is away. */
  isDown = false;

  /** All requests, in order. */
  readonly asked: IAsked[] = [];

  readonly settings = ServerConnection.makeSettings({
    baseUrl: 'http://localhost:8888/user/ada/',
    wsUrl: 'ws://localhost:8888/user/ada/',
    token: 'secret',
    fetch: (input: RequestInfo | URL): Promise<Response> => this._fetch(input as Request)
  });

  /** What was asked, in order. */
  get requests(): string[] {
    return this.asked.map(({ what }) => what);
  }

  /** How often something was asked. */
  count(what: string): number {
    return this.requests.filter(request => request === what).length;
  }

  /** Put a job into the place of its former self. */
  set(job: Job): Job {
    this.jobs = [job, ...this.jobs.filter(({ id }) => id !== job.id)];
    return job;
  }

  private async _fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    // ServerConnection appends the time, so that no cache answers.
    const query = url.search
      .slice(1)
      .split('&')
      .filter(part => part && !/^\d+$/.test(part))
      .join('&');
    const path = url.pathname.replace('/user/ada/jupyter-gpu-kernels/', '') + (query && `?${query}`);
    const what = `${request.method} ${path}`;
    const asked: IAsked = { what, body: undefined };
    this.asked.push(asked);
    const { signal } = request;
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
    const text = await Promise.race([request.text(), aborted]);
    asked.body = text ? (JSON.parse(text) as unknown) : undefined;
    if (this.isDown) {
      throw new TypeError('Failed to fetch');
    }
    return Promise.race([(this.answers.get(what) ?? ((): Response => this._answer(what)))(), aborted]);
  }

  private _answer(what: string): Response {
    switch (what) {
      case 'GET environments':
        return json(this.environments);
      case 'GET frameworks':
        return json(this.frameworks);
      case 'GET gpus':
        return json(this.hardware);
      case 'GET jobs':
        return json(this.jobs.map(job => ({ ...job, log: [] })));
    }
    const job = this.jobs.find(({ id }) => what === `GET jobs/${id}`);
    return job ? json(job) : refusal({ code: 'not_found', message: 'There is nothing here.' }, 404);
  }
}

/** The services that the model takes from JupyterLab. */
export class FakeServices implements LiveKernels.IServices {
  constructor(server: FakeServer) {
    this.serverSettings = server.settings;
  }

  readonly serverSettings: ServerConnection.ISettings;
  readonly connectionFailure = new Signal<ServiceManager.IManager, Error>({} as ServiceManager.IManager);
  readonly events = { stream: new Stream<Event.IManager, Event.Emission>({} as Event.IManager) };
  readonly kernelspecs = {
    refreshSpecs: (): Promise<void> => {
      this.specsRefreshed += 1;
      return Promise.resolve();
    }
  };

  /** How often the kernelspecs were read anew. */
  specsRefreshed = 0;

  /** Send the event of a job as it is. */
  emit(job: Job): void {
    this.events.stream.emit(anEmission(job));
  }
}

/** The event that the server sends for a job. */
export function anEmission(job: Job): Event.Emission {
  const { id, revision, state, stage, progress } = job;
  const { packages_done, packages_total, bytes_done, bytes_total, bytes_per_second } = progress;
  const counters = { packages_done, packages_total, bytes_done, bytes_total, bytes_per_second };
  return { schema_id: JOB_SCHEMA_ID, id, revision, state, stage, ...counters };
}

/** Hide the page, or show it. */
export function setHidden(isHidden: boolean): void {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  Object.defineProperty(document, 'visibilityState', {
    configurable: true,
    get: () => (isHidden ? 'hidden' : 'visible')
  });
  document.dispatchEvent(new window.Event('visibilitychange'));
}
