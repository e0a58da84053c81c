/** Each form of kernel on every GPU of this machine, as its schedule is found, held to its algorithm. A program of its own: tools/gpu-conform.mjs makes one file of it. */
import { conformOn } from '@quern/conformance';
import { device, listDevices } from '@quern/runtime';
import { kernelNamed } from '../src/kernels/index.ts';
import { FORMS, SETTINGS } from './gpu-forms.ts';

const only = process.argv.find((a) => a.startsWith('--only='))?.slice(7);
let failed = 0, devices = 0;
for (const { id, kind, type, name: title } of (await listDevices()).devices) {
  if (kind === 'cpu' || (type === 'cpu' && !process.argv.includes('--all')) || (only && !id.startsWith(only))) continue;
  devices++;
  const d = await device(id, { fallback: 'none' });
  let elements = 0;
  const failures: string[] = [];
  for (const { name, o } of FORMS) {
    const k = kernelNamed(name);
    try {
      const r = await conformOn(d, { name, ir: k.algorithm(), schedule: k.gpu }, { ...SETTINGS, runs: 10, ...o }), got = r.backends.find((b) => b.backend === 'device')!;
      elements += got.exact + got.bounded;
    } catch (e) { failures.push(`${name}: ${String((e as Error).message).slice(0, 400)}`); }
  }
  process.stdout.write(`${id} (${title}): ${FORMS.length} kernels of dnn, ${elements} elements within bounds, ${failures.length} failures\n${failures.map((f) => `  ${f}\n`).join('')}`);
  failed += failures.length;
}
process.exit(devices === 0 ? 2 : failed > 0 ? 1 : 0);
