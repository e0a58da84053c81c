import { doctorReport, formatDevices, formatDoctor } from '@quern/runtime';
import { parse } from '../cli/index.ts';

const OPTIONS = { json: { kind: 'flag', help: 'as JSON' } } as const;
export const DEVICES_HELP = 'quern devices [--json]\n\nLists the devices of this machine, the one that is picked, and why the others are not there.\n';
export const DOCTOR_HELP = 'quern doctor [--json]\n\nTells what Quern finds on this machine (QUERN_DEVICE chooses a device) and what to mend.\n';

const plain = (report: Awaited<ReturnType<typeof doctorReport>>): unknown => ({ ...report, picked: typeof report.picked === 'string' ? report.picked : { info: report.picked.info, pick: report.picked.pick } });
const json = (x: unknown): string => `${JSON.stringify(x, (_, v: unknown) => (v instanceof Set ? [...v] : v), 2)}\n`;

/** `quern devices`: the devices of this machine, the one picked, and why the others are not there. */
export async function devices(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, OPTIONS, { min: 0, max: 0, what: '' });
  const report = await doctorReport();
  const { devices: list, unavailable, picked } = plain(report) as { devices: unknown; unavailable: unknown; picked: unknown };
  process.stdout.write(values.json ? json({ devices: list, unavailable, picked }) : `${formatDevices(report)}\n`);
  return 0;
}

/** `quern doctor`: all that matters about this machine, and what to mend. Exit status 1 when something is wrong. */
export async function doctor(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, OPTIONS, { min: 0, max: 0, what: '' });
  const report = await doctorReport();
  process.stdout.write(values.json ? json(plain(report)) : `${formatDoctor(report)}\n`);
  return report.addon.loaded ? 0 : 1;
}
