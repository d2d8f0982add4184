import { beforeEach, describe, expect, it } from 'vitest';

import { ApiError, isAway, LocalCodes, request } from '../request';
import { FakeServer, json, refusal } from './fakeServer';

/** What a request ended with. */
async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    answer => {
      throw new Error(`It was answered: ${String(answer)}`);
    },
    (reason: unknown) => reason
  );
}

describe('request', () => {
  let server: FakeServer;

  beforeEach(() => {
    server = new FakeServer();
  });

  it('asks below our namespace, with what the person typed encoded', async () => {
    server.answers.set('GET names/a%2Fb%20c', () => json({ name: 'a/b c' }));

    expect(await request(['names', 'a/b c'], {}, server.settings)).toEqual({ name: 'a/b c' });
  });

  it('sends JSON and arguments', async () => {
    const what = 'POST environments/x?stop_kernels=true';
    server.answers.set(what, () => json({ id: 'job-1' }, 202));

    const query = { stop_kernels: 'true' };
    await request(['environments', 'x'], { method: 'POST', body: { name: 'x' }, query }, server.settings);

    expect(server.asked).toEqual([{ what, body: { name: 'x' } }]);
  });

  it('takes silence for a yes where there is nothing to be said', async () => {
    server.answers.set('DELETE foreign?prefix=%2Fenvs%2Fold', () => new Response(null, { status: 204 }));

    const query = { prefix: '/envs/old' };
    expect(await request(['foreign'], { method: 'DELETE', query }, server.settings)).toBeUndefined();
  });

  it('gives the report of our server', async () => {
    const report = { code: 'name_taken', message: 'That name is taken.', cure: 'Take another.', detail: 'By you.' };
    server.answers.set('GET jobs', () => refusal(report, 409));

    const reason = await failure(request(['jobs'], {}, server.settings));

    expect(reason).toBeInstanceOf(ApiError);
    expect(reason).toMatchObject({ status: 409, message: report.message, report });
  });

  it('completes a report that lacks something', async () => {
    server.answers.set('GET jobs', () => json({ code: 'x', message: 'y' }, 400));

    const reason = await failure(request(['jobs'], {}, server.settings));

    expect(reason).toMatchObject({ report: { code: 'x', message: 'y', cure: '', detail: '' } });
  });

  it('tells the page of a proxy from an answer of ours', async () => {
    const page = '<html><body>Bad gateway</body></html>';
    server.answers.set('GET jobs', () => new Response(page, { status: 502, statusText: 'Bad Gateway' }));

    const reason = await failure(request(['jobs'], {}, server.settings));

    const report = { code: LocalCodes.FOREIGN_ANSWER, message: '502 Bad Gateway', cure: '', detail: page };
    expect(reason).toMatchObject({ status: 502, report });
    expect(isAway(reason)).toBe(true);
  });

  it('keeps only the beginning of a long page', async () => {
    server.answers.set('GET jobs', () => new Response('x'.repeat(100_000), { status: 500 }));

    const reason = (await failure(request(['jobs'], {}, server.settings))) as ApiError;

    expect(reason.report.detail).toHaveLength(2000);
    expect(isAway(reason)).toBe(false);
  });

  it('takes no page for an answer, even if its status is good', async () => {
    server.answers.set('GET jobs', () => new Response('<html>Welcome</html>', { status: 200 }));

    const reason = await failure(request(['jobs'], {}, server.settings));

    expect(reason).toMatchObject({ status: 200, report: { code: LocalCodes.FOREIGN_ANSWER } });
  });

  it('knows that somebody wants a login', async () => {
    server.answers.set('GET jobs', () => new Response('<html>Log in</html>', { status: 403 }));
    expect(await failure(request(['jobs'], {}, server.settings))).toMatchObject({
      status: 403,
      report: { code: LocalCodes.SIGNED_OUT }
    });

    server.answers.set('GET jobs', () => {
      const page = new Response('<html>Log in</html>', { status: 200 });
      return Object.defineProperty(page, 'redirected', { value: true });
    });
    expect(await failure(request(['jobs'], {}, server.settings))).toMatchObject({
      status: 200,
      report: { code: LocalCodes.SIGNED_OUT }
    });
  });

  it("gives our server's own word where it forbids something", async () => {
    server.answers.set('GET jobs', () => refusal({ code: 'forbidden', message: 'You may not do this.' }, 403));

    expect(await failure(request(['jobs'], {}, server.settings))).toMatchObject({
      message: 'You may not do this.',
      report: { code: 'forbidden' }
    });
  });

  it('says that the server cannot be reached', async () => {
    server.isDown = true;

    const reason = await failure(request(['jobs'], {}, server.settings));

    const report = { code: LocalCodes.UNREACHABLE, message: 'Failed to fetch', cure: '', detail: '' };
    expect(reason).toMatchObject({ status: 0, report });
    expect(isAway(reason)).toBe(true);
  });

  it('says so too if the connection breaks within the answer', async () => {
    server.answers.set('GET jobs', () => {
      const body = new ReadableStream({
        start: controller => {
          controller.error(new TypeError('network error'));
        }
      });
      return new Response(body);
    });

    expect(await failure(request(['jobs'], {}, server.settings))).toMatchObject({
      status: 0,
      report: { code: LocalCodes.UNREACHABLE }
    });
  });

  it('gives the reason of whoever aborts', async () => {
    const aborter = new AbortController();
    server.answers.set('GET jobs', () => new Promise(() => undefined));
    const asked = failure(request(['jobs'], { signal: aborter.signal }, server.settings));

    aborter.abort();

    expect(await asked).toMatchObject({ name: 'AbortError' });
  });

  it('is not away for what was never asked', () => {
    expect(isAway(null)).toBe(false);
    expect(isAway(new Error('x'))).toBe(false);
  });
});
