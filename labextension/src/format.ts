/**
 * Numbers, sizes, durations and dates as the reader writes them.
 *
 * They follow the language of the document, which JupyterLab sets to that of the interface.
 */

/** A plain number, with no more digits than help. */
export function decimal(value: number, digits = 0): string {
  return new Intl.NumberFormat(Private.locale(), { maximumFractionDigits: digits }).format(value);
}

/** How many times as much: two significant digits below ten, whole numbers above. */
export function factor(value: number): string {
  return decimal(value, value < 10 ? 1 : 0);
}

/** A share of the whole, `0` to `1`. */
export function percent(fraction: number): string {
  // Rounded down: 100 % is said of what is complete.
  const floored = Math.floor(fraction * 100) / 100;
  return new Intl.NumberFormat(Private.locale(), { style: 'percent' }).format(floored);
}

/** An amount of data. */
export function bytes(amount: number): string {
  const [unit, scale] = Private.scaleOf(amount);
  return Private.measure(amount / scale, unit);
}

/** An amount of memory of a GPU: in powers of two, as GPUs are named after it. */
export function memory(amount: number): string {
  if (amount > 0 && amount < 2 ** 30 / 10) {
    return `${decimal(Math.max(1, amount / 2 ** 20))} MiB`;
  }
  return `${gibibytes(amount)} GiB`;
}

/** The same without its unit. */
export function gibibytes(amount: number): string {
  const value = amount / 2 ** 30;
  return decimal(value, value < 10 ? 1 : 0);
}

/** An amount of data each second. */
export function rate(bytesPerSecond: number): string {
  const [unit, scale] = Private.scaleOf(bytesPerSecond);
  return Private.measure(bytesPerSecond / scale, `${unit}-per-second`);
}

/** A length of time for people: its two greatest units, nothing below a second. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) {
    return Private.measure(whole, 'second', 0);
  }
  const minutes = Math.round(whole / 60);
  if (minutes < 60) {
    return Private.measure(minutes, 'minute', 0);
  }
  const hours = Private.measure(Math.floor(minutes / 60), 'hour', 0);
  if (minutes % 60 === 0) {
    return hours;
  }
  const rest = Private.measure(minutes % 60, 'minute', 0);
  return new Intl.ListFormat(Private.locale(), { type: 'unit', style: 'narrow' }).format([hours, rest]);
}

/** A measured length of time, with three significant digits. */
export function timing(seconds: number): string {
  const [unit, scale] =
    seconds < 1e-3 ? ['microsecond', 1e-6] : seconds < 1 ? ['millisecond', 1e-3] : (['second', 1] as const);
  return new Intl.NumberFormat(Private.locale(), {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumSignificantDigits: 3
  }).format(seconds / scale);
}

/** A moment in full; empty for what is no moment. */
export function moment(iso: string): string {
  const date = new Date(iso);
  return isNaN(date.getTime())
    ? ''
    : new Intl.DateTimeFormat(Private.locale(), { dateStyle: 'medium', timeStyle: 'short' }).format(date);
}

/**
 * How long ago a moment was; empty for what is no moment.
 *
 * @param now - Milliseconds since the epoch.
 */
export function ago(iso: string, now: number = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (isNaN(seconds)) {
    return '';
  }
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 365 * 86400],
    ['month', 30 * 86400],
    ['week', 7 * 86400],
    ['day', 86400],
    ['hour', 3600],
    ['minute', 60]
  ];
  // Below a minute it is "now": clocks of server and browser differ by as much.
  const [unit, length] = steps.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', Infinity];
  const count = Math.trunc(seconds / length);
  // A minus zero would read as "0 seconds ago".
  return new Intl.RelativeTimeFormat(Private.locale(), { numeric: 'auto' }).format(count === 0 ? 0 : count, unit);
}

namespace Private {
  /**
   * The language of the document; undefined, which means the browser's, where it has none that is one.
   */
  export function locale(): string | undefined {
    const tag = document.documentElement.lang.replace('_', '-');
    try {
      return Intl.getCanonicalLocales(tag)[0];
    } catch {
      return undefined;
    }
  }

  /**
   * A number with its unit.
   */
  export function measure(value: number, unit: string, digits = value > 0 && value < 10 ? 1 : 0): string {
    return new Intl.NumberFormat(locale(), {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      minimumFractionDigits: digits,
      maximumFractionDigits: digits
    }).format(value);
  }

  /**
   * The unit of an amount of data, and its size; nobody wants to read of single bytes.
   */
  export function scaleOf(amount: number): ['kilobyte' | 'megabyte' | 'gigabyte', number] {
    return amount < 999.5e3 ? ['kilobyte', 1e3] : amount < 999.5e6 ? ['megabyte', 1e6] : ['gigabyte', 1e9];
  }
}
