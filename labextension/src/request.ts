/**
 * The one way to the server: JSON in, JSON out, and errors in one shape.
 */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

import type { ErrorReport } from './tokens';

/**
 * Where the server answers, below its base URL.
 */
export const NAMESPACE = 'jupyter-gpu-kernels';

/**
 * Codes of errors that have no answer of our server behind them.
 */
export namespace LocalCodes {
  /** The server cannot be reached. */
  export const UNREACHABLE = 'unreachable';
  /** Something else answered: a proxy, a hub, a server without our extension. */
  export const FOREIGN_ANSWER = 'foreign_answer';
  /** Somebody wants the person to log in again. */
  export const SIGNED_OUT = 'signed_out';
}

/**
 * What went wrong: a sentence, what to do next, and a stable code.
 */
export class ApiError extends Error {
  constructor(
    /** HTTP status; 0 when no server answered. */
    readonly status: number,
    readonly report: ErrorReport,
    options?: ErrorOptions
  ) {
    super(report.message, options);
    this.name = 'ApiError';
  }
}

/**
 * Whether an error says that the server is away, so that asking again later may help.
 */
export function isAway(reason: unknown): boolean {
  if (!(reason instanceof ApiError)) {
    return false;
  }
  const { code } = reason.report;
  // A hub or a proxy answers for a server that is being started.
  return (
    code === LocalCodes.UNREACHABLE || (code === LocalCodes.FOREIGN_ANSWER && [502, 503, 504].includes(reason.status))
  );
}

/**
 * Options of a request.
 */
export interface IRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** JSON to send. */
  body?: unknown;
  /** Arguments of the query. */
  query?: Record<string, string>;
  /** Aborts the request. */
  signal?: AbortSignal;
}

/**
 * Ask the server.
 *
 * @param path - Segments of the address below our namespace; they are encoded here.
 * @param settings - Settings of the server.
 *
 * @throws ApiError - The server refused, or could not be reached.
 * @throws DOMException - The request was aborted (`AbortError`).
 */
export async function request<T>(
  path: readonly string[],
  options: IRequest,
  settings: ServerConnection.ISettings
): Promise<T> {
  const { method = 'GET', body, query, signal } = options;
  const url =
    URLExt.join(settings.baseUrl, NAMESPACE, ...path.map(encodeURIComponent)) +
    (query ? URLExt.objectToQueryString(query) : '');
  const init: RequestInit = { method, signal: signal ?? null };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
  }
  let response: Response;
  let text: string;
  try {
    response = await ServerConnection.makeRequest(url, init, settings);
    text = await response.text();
  } catch (reason) {
    if (signal?.aborted) {
      throw signal.reason;
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    throw new ApiError(0, { code: LocalCodes.UNREACHABLE, message, cure: '', detail: '' }, { cause: reason });
  }
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    answer = undefined;
  }
  // Of what is gone there is nothing to say.
  if (response.status === 204 || (response.ok && answer !== undefined)) {
    return answer as T;
  }
  throw new ApiError(response.status, Private.report(response, answer, text));
}

namespace Private {
  /**
   * The error of an answer, whoever it came from.
   */
  export function report(response: Response, answer: unknown, text: string): ErrorReport {
    const found = answer as Partial<ErrorReport> | null | undefined;
    if (typeof found?.code === 'string' && typeof found.message === 'string') {
      return { code: found.code, message: found.message, cure: found.cure ?? '', detail: found.detail ?? '' };
    }
    // A hub or a proxy sends who is signed out to its own page, which the browser fetches instead.
    const isSignedOut = response.redirected || response.status === 401 || response.status === 403;
    return {
      code: isSignedOut ? LocalCodes.SIGNED_OUT : LocalCodes.FOREIGN_ANSWER,
      message: `${response.status} ${response.statusText}`.trim(),
      cure: '',
      detail: text.slice(0, 2000)
    };
  }
}
