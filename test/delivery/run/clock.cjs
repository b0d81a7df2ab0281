// Preloaded into every service: its wall clock is off by what the file of its name says, in ms; monotonic clocks are not.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');

const dir = process.env.DELIVERY_CLOCKS;
const service = /services.(\w+).dist/.exec(process.argv[1] ?? '')?.[1];
if (dir !== undefined && service !== undefined) {
  const name = process.env.EVENKEEL_NODE ?? service;
  const RealDate = Date;
  let offset = 0;
  globalThis.Date = class extends RealDate {
    constructor(...given) {
      if (given.length === 0) super(RealDate.now() + offset);
      else super(...given);
    }
    static now() {
      return RealDate.now() + offset;
    }
  };
  const look = () => {
    try {
      const wanted = Number(readFileSync(join(dir, name), 'utf8'));
      if (wanted === offset || !Number.isFinite(wanted)) return;
      offset = wanted;
      writeFileSync(join(dir, `${name}.seen`), `${offset}\n`, { flag: 'a' });
    } catch {
      // Nobody has set this one.
    }
  };
  setInterval(look, 100).unref();
}
