/** The target that examples/own-instruction.ts defines: its C holds the instruction of its own, and compiles. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lower, schedule } from '@quern/kernel-dsl';
import { emitFileC } from '@quern/kernel-dsl/c';
import { expect, it } from 'vitest';
import { algorithm, alderLake, cpu } from '../../examples/own-instruction.ts';

it('a target from a user\'s file emits C with its own instruction, and a compiler takes it', () => {
  const text = emitFileC([lower(schedule(algorithm, alderLake, cpu).ir, alderLake)], alderLake, { standalone: true });
  expect(text).toContain('Made by Quern for x86-64-v3-vnni');
  expect(text).toMatch(/acc_part_0 = dot_bytes_vex\(|acc_part = dot_bytes_vex\(/);
  const folder = mkdtempSync(join(tmpdir(), 'quern-target-'));
  try {
    writeFileSync(join(folder, 'k.c'), text);
    if (process.arch === 'x64') expect(() => execFileSync('gcc', [...alderLake.cflags, '-c', join(folder, 'k.c'), '-o', join(folder, 'k.o')], { stdio: 'pipe' })).not.toThrow();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
