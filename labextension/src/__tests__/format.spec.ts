import { afterEach, describe, expect, it } from 'vitest';

import { ago, bytes, decimal, duration, factor, memory, moment, percent, rate, timing } from '../format';

function speak(language: string): void {
  document.documentElement.lang = language;
}

afterEach(() => speak(''));

describe('in English', () => {
  it('writes sizes with the unit that fits, and a fraction only below ten', () => {
    speak('en');
    expect([0, 412, 999_400, 999_600, 31_200_000, 1_912_000_000, 53e9].map(bytes)).toEqual([
      '0 kB',
      '0.4 kB',
      '999 kB',
      '1.0 MB',
      '31 MB',
      '1.9 GB',
      '53 GB'
    ]);
    expect(rate(31_200_000)).toBe('31 MB/s');
  });

  it('writes memory so that little is not nothing', () => {
    expect([0, 5 * 2 ** 20, 300 * 2 ** 20, 141 * 2 ** 30].map(memory)).toEqual([
      '0 GiB',
      '5 MiB',
      '0.3 GiB',
      '141 GiB'
    ]);
    expect(memory(1)).toBe('1 MiB');
  });

  it('writes durations in their two greatest units', () => {
    speak('en');
    expect([-1, 0, 45, 59.6, 90, 3599, 3600, 3900, 90_000].map(duration)).toEqual([
      '0 sec',
      '0 sec',
      '45 sec',
      '1 min',
      '2 min',
      '1 hr',
      '1 hr',
      '1 hr 5 min',
      '25 hr'
    ]);
  });

  it('writes measured times with three digits', () => {
    speak('en');
    expect([1.2345, 0.0123, 0.000_004_56].map(timing)).toEqual(['1.23 sec', '12.3 ms', '4.56 μs']);
  });

  it('says how long ago something was', () => {
    speak('en');
    const now = Date.parse('2026-11-20T18:00:00Z');
    const moments = [
      '2026-11-20T17:59:30Z',
      '2026-11-20T18:00:20Z',
      '2026-11-20T17:00:00Z',
      '2026-11-19T17:00:00Z',
      ''
    ];
    expect(moments.map(iso => ago(iso, now))).toEqual(['now', 'now', '1 hour ago', 'yesterday', '']);
    expect(moment('')).toBe('');
  });

  it('says 100 % of what is complete only', () => {
    speak('en');
    expect([0, 0.9999, 1].map(percent)).toEqual(['0%', '99%', '100%']);
  });

  it('writes factors with as many digits as count', () => {
    speak('en');
    expect([1.04, 9.96, 43.2, 1234].map(factor)).toEqual(['1', '10', '43', '1,234']);
    expect(decimal(2.75, 1)).toBe('2.8');
  });
});

describe('in other languages', () => {
  it.each(['zh-CN', 'zh_CN'])('writes Chinese for %s', language => {
    speak(language);
    expect([bytes(1.9e9), rate(31e6), duration(3900), timing(1.234)]).toEqual([
      '1.9 GB',
      '31 MB/秒',
      '1小时5分钟',
      '1.23秒'
    ]);
  });

  it('takes what is no language for none', () => {
    speak('no language!');
    expect(decimal(1)).toBe('1');
  });
});
