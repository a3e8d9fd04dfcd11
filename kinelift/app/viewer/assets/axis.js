/** The time that timeline and plots show: all of it, or a part that moves along. */
const LEAST = 0.5; // seconds

export class Axis {
  #watchers = [];

  constructor(clip) {
    this.duration = Math.max(clip.duration, 0.04);
    [this.start, this.end] = [0, this.duration];
  }

  /** Where a time lies, 0-1. */
  shareOf(time) {
    return (time - this.start) / (this.end - this.start);
  }

  timeAt(share) {
    return this.start + share * (this.end - this.start);
  }

  watch(tell) {
    this.#watchers.push(tell);
    tell();
  }

  /** Show ``factor`` times less time, around a time. */
  zoom(factor, around) {
    const length = Math.min(Math.max((this.end - this.start) / factor, Math.min(LEAST, this.duration)), this.duration);
    const share = Math.min(Math.max(this.shareOf(around), 0), 1);
    this.#move(around - share * length, length);
  }

  /** Move on if a time is not in the part that is shown. */
  reveal(time) {
    const length = this.end - this.start;
    if (time < this.start || time > this.end) this.#move(time - 0.1 * length, length);
  }

  /** Times for ticks: about ``count`` of them, at round numbers. */
  ticks(count) {
    const least = (this.end - this.start) / count;
    const steps = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
    const step = steps.find((one) => one >= least) ?? 7200;
    const first = Math.ceil(this.start / step - 1e-9);
    return Array.from({ length: Math.floor(this.end / step + 1e-9) - first + 1 }, (_, k) => (first + k) * step);
  }

  #move(start, length) {
    this.start = Math.min(Math.max(start, 0), this.duration - length);
    this.end = this.start + length;
    for (const tell of this.#watchers) tell();
  }
}
