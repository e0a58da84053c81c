import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { mapStmt, visitStmt } from '../../src/ir/index.ts';
import type { KernelIR, Stmt } from '../../src/ir/index.ts';
import { axes, barrier, kernel, shared, tensor, when } from '../../src/lang/index.ts';
import type { Tensor, Val } from '../../src/lang/index.ts';
import { requireVerified, verify } from '../../src/verify/index.ts';
import type { Finding, FindingId } from '../../src/verify/index.ts';
import { sums, transpose, waves } from '../gpu/kernels.ts';

const only = (k: Parameters<typeof verify>[0], id: FindingId): Finding => {
  const { findings } = verify(k);
  expect(findings.map((f) => f.id)).toEqual([id]);
  expect(() => requireVerified(k)).toThrow(DslError);
  return findings[0]!;
};
const proved = (k: Parameters<typeof verify>[0]): void => {
  const v = verify(k);
  expect(v.findings).toEqual([]);
  expect(v.raceFree).toBe(v.parallelLoops);
};
const barriersOf = (k: KernelIR): Stmt[] => { const out: Stmt[] = []; visitStmt(k.body, (s) => { if (s.kind === 'barrier') out.push(s); }); return out; };
const without = (k: KernelIR, gone: Stmt): KernelIR => ({ ...k, body: mapStmt(k.body, (s) => (s === gone ? null : s))! });

type Body = (e: { t: Val<'i64'>; b: Val<'i64'>; tile: Tensor<'f32', readonly [64]>; x: Tensor<'f32', readonly [128]>; y: Tensor<'f32', readonly [128]>; N: Val<'i64'> }) => void;
/** A body in 2 workgroups of 64 lanes with a tile of 64. */
const lanes = (body: Body) => kernel('k', { x: tensor('f32', 128), y: tensor('f32', 128).inout(), z: tensor('f32', 'N') }, ({ x, y, N }) => {
  const ax = axes({ b: 2, t: 64 });
  for (const b of ax.b.bind('block.x')) {
    const tile = shared('f32', 'tile', 64);
    for (const t of ax.t.bind('lane.x')) body({ t, b, tile, x, y, N });
  }
  return ax;
});
const read: Body = ({ t, b, x, tile }) => tile.at(t).set(x.at(b.mul(64).add(t)));
const mirror: Body = ({ t, b, tile, y }) => y.at(b.mul(64).add(t)).set(tile.at(t.mul(-1).add(63)));

describe('lanes that share memory', () => {
  it('are proved where barriers separate what they touch', () => {
    for (const k of [sums, sums.with({ T: 16 }), transpose, waves]) proved(k);
    proved(lanes((e) => { read(e); barrier(); mirror(e); }));
  });
  it('need no barrier where each stays with its own elements', () => { proved(lanes((e) => { read(e); barrier(); e.y.at(e.b.mul(64).add(e.t)).set(e.tile.at(e.t)); })); });
  it.each([['sums', sums.ir, 1], ['transpose', transpose.ir, 0], ['waves', waves.ir, 0]] as const)('need their barriers, each by itself: %s', (_, ir, needless) => {
    const all = barriersOf(ir);
    // Without one, two lanes meet; or, with no barrier left, iterations of the lane loop do. The last sum of `sums` is stored by the lane that made it.
    const missed = all.filter((b) => verify(without(ir, b)).findings.some((x) => x.id.startsWith('KD-V-LANES') || x.id.startsWith('KD-V-RACE')));
    expect(all.length - missed.length).toBe(needless);
  });
  it('a missing barrier is shown with the lanes, the element and both lines', () => {
    const f = only(lanes((e) => { e.tile.at(e.t).set(0); barrier(); read(e); mirror(e); }), 'KD-V-LANES');
    expect(f.verdict).toBe('refuted');
    expect(f.message).toMatch(/^tile\[\d+\] is touched by lanes \d+ and \d+ of the workgroup, and no barrier lies between$/);
    expect(f.loc?.line).toBeGreaterThan(0);
    expect(f.notes.some((n) => n.text.startsWith('read as tile[') && n.loc)).toBe(true);
  });
  it('what runs cannot show is left open, and refused', () => {
    const f = only(lanes((e) => when(e.N.gt(100000), () => { e.tile.at(e.t).set(0); barrier(); read(e); mirror(e); })), 'KD-V-LANES-OPEN');
    expect(f.message).toMatch(/^it is not proved that a barrier lies between tile\[t\] and tile\[.*\] wherever two lanes of t touch one element$/);
  });
  it('a barrier separates one round of a loop from the next only where it lies on the way', () => {
    const rounds = (after: boolean) => kernel('rounds', { y: tensor('f32', 64).inout(), z: tensor('f32', 'N') }, ({ y, N }) => {
      const ax = axes({ b: 1, t: 64, r: N });
      for (const b of ax.b.bind('block.x')) {
        void b;
        const tile = shared('f32', 'tile', 64);
        for (const t of ax.t.bind('lane.x')) for (const r of ax.r) {
          void r;
          tile.at(t).set(y.at(t));
          barrier();
          y.at(t).addAssign(tile.at(t.mul(-1).add(63)));
          if (after) barrier();
        }
      }
      return ax;
    });
    proved(rounds(true));
    only(rounds(false), 'KD-V-LANES');
  });
  it('two buffers in turns need one barrier a round', () => {
    const turns = (slots: number) => kernel('turns', { y: tensor('f32', 64).inout(), z: tensor('f32', 'N') }, ({ y, N }) => {
      const ax = axes({ b: 1, t: 64, r: N });
      for (const b of ax.b.bind('block.x')) {
        void b;
        const tile = shared('f32', 'tile', 2, 64);
        for (const t of ax.t.bind('lane.x')) for (const r of ax.r) {
          tile.at(r.mod(slots), t).set(y.at(t));
          barrier();
          y.at(t).addAssign(tile.at(r.mod(slots), t.mul(-1).add(63)));
        }
      }
      return ax;
    });
    proved(turns(2));
    only(turns(1), 'KD-V-LANES');
  });
  it('a barrier in a branch or loop that lanes take differently is an error', () => {
    const f = only(lanes((e) => { when(e.t.lt(32), () => { barrier(); }); e.y.at(e.b.mul(64).add(e.t)).set(1); }), 'KD-V-BARRIER');
    expect(f).toMatchObject({ verdict: 'refuted', message: 'not all lanes of t come to the barrier alike: t < 32 may differ from lane to lane' });
    only(lanes((e) => { const inner = axes({ i: e.t }); for (const i of inner.i) { void i; barrier(); } e.y.at(e.b.mul(64).add(e.t)).set(1); }), 'KD-V-BARRIER');
    expect(only(lanes((e) => { when(e.x.at(0).gt(0), () => { barrier(); }); e.y.at(e.b.mul(64).add(e.t)).set(1); }), 'KD-V-BARRIER').verdict).toBe('open');
  });
});
