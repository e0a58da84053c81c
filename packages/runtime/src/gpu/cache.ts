import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir, makeDir } from '../compile/index.ts';
import type { GpuCode, GpuDriver, GpuSource } from '../driver/index.ts';

/** Machine code of a GPU and where it came from. */
export interface CachedCode {
  readonly code: GpuCode;
  /** `hit`: found on disk; `miss`: compiled; `repaired`: what the disk held was damaged or refused, so it was compiled again; `none`: the driver has no machine code to keep. */
  readonly cache: 'hit' | 'miss' | 'repaired' | 'none';
}

const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest('hex');
};

/** A file of the cache: the digest of what follows, then the machine code. */
const DIGEST = 64;

/**
 * Compiles text for a device, or finds its machine code on disk. The key covers text, flags, compiler, driver and device; a file is checked byte for byte
 * before it is used and written under another name first, so that processes can share a cache.
 * @throws KernelCompileError
 */
export async function cachedCompile(driver: GpuDriver, source: GpuSource, folder?: string): Promise<CachedCode> {
  const key = sha256(source.source, source.flags.join('\0'), source.entries.join('\0'), driver.identity, driver.info.name);
  const dir = join(folder ?? cacheDir().path, 'gpu'), file = join(dir, `${source.name.replace(/[^\w.-]/g, '_')}-${driver.info.kind}-${key.slice(0, 32)}.bin`);
  let known: Buffer | undefined;
  try {
    known = readFileSync(file);
  } catch { /* not there */ }
  if (known !== undefined && known.length > DIGEST) {
    const binary = known.subarray(DIGEST);
    if (known.subarray(0, DIGEST).toString('latin1') === sha256(key, binary)) {
      try {
        return { code: await driver.load(binary, source), cache: 'hit' };
      } catch { /* this driver does not take it any more: compiled anew below */ }
    }
  }
  const code = await driver.compile(source), binary = driver.binary(code);
  if (binary === undefined) return { code, cache: 'none' };
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  try {
    makeDir(dir);
    writeFileSync(draft, Buffer.concat([Buffer.from(sha256(key, binary), 'latin1'), binary]));
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true }); // a cache that cannot be written costs time, nothing else
  }
  return { code, cache: known === undefined ? 'miss' : 'repaired' };
}
