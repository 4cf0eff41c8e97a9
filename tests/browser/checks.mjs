// A small list of checks: each runs on its own, a failed one says why and does not stop the others.

// Playwright colours its messages, which a log file only shows as noise.
const plain = (text) => String(text).replace(/\u001b\[\d+m/g, '');

export class Checks {
  passed = 0;
  failed = 0;

  async check(name, body) {
    try {
      await body();
      this.passed += 1;
      console.log(`ok      ${name}`);
    } catch (error) {
      this.failed += 1;
      console.log(`FAILED  ${name}\n        ${plain(error?.message ?? error).trim().replaceAll('\n', '\n        ')}`);
    }
  }

  /** The last line of the run, which ./dev test reads. @returns the exit code. */
  summary() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}
