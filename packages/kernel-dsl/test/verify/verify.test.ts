import { describe, expect, it } from 'vitest';
import { DslError } from '../../src/errors/index.ts';
import { assume, axes, kernel, named, reg, scalar, scratch, select, tensor, when } from '../../src/lang/index.ts';
import { interpret } from '../../src/run/index.ts';
import { schedule } from '../../src/schedule/index.ts';
import { target } from '../../src/targets/index.ts';
import { requireVerified, verify } from '../../src/verify/index.ts';
import type { Finding, FindingId } from '../../src/verify/index.ts';

const only = (k: Parameters<typeof verify>[0], id: FindingId): Finding => {
  const { findings } = verify(k);
  expect(findings.map((f) => f.id)).toEqual([id]);
  expect(() => requireVerified(k)).toThrow(DslError);
  return findings[0]!;
};
const clean = (k: Parameters<typeof verify>[0]): void => {
  const v = verify(k);
  expect(v.findings).toEqual([]);
  expect(v.bounded).toBe(v.accesses);
  expect(v.raceFree).toBe(v.parallelLoops);
  expect(v.written).toBe(v.reads);
  requireVerified(k);
};

describe('bounds', () => {
  it('a neighbour beyond the end is refuted by sizes, index and line', () => {
    const k = kernel('shift', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(i.add(1)));
      return ax;
    });
    const f = only(k, 'KD-V-BOUNDS');
    expect(f).toMatchObject({ verdict: 'refuted', message: 'x[i + 1]: index [1] is outside of x[N]', fix: 'correct the index or the extent of the loop that makes it, or guard the access: when(i + 1 < N, …)' });
    expect(f.counterexample).toMatchObject({ sizes: { N: 1 }, at: { i: 0 }, index: [1] });
    expect(f.notes).toEqual([{ text: 'e.g. N = 1, i = 0' }]);
    expect(f.loc).toMatchObject({ line: k.ir.loc!.line + 2, col: 43 });
  });
  it('the schedule call that makes the access is told, with its line', () => {
    const k = kernel('off', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(i.sub(1)));
      return ax;
    });
    const s = schedule(k, target('x86-64-v3'), (v, { i }) => { v.split(i, 8); });
    const f = only(s, 'KD-V-BOUNDS');
    expect(f.step).toBe('split(i, 8)');
    expect(f.stepLoc).toMatchObject({ line: k.ir.loc!.line + 5, col: 66 });
    expect(f.notes[0]!.text).toMatch(/^e.g. N = \d+, io = 0, ii = 0$/);
  });
  it('guards, minima, divisions and remainders are understood', () => {
    clean(kernel('edges', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N, j: N.div(2), k: N });
      for (const i of ax.i) when(i.add(1).lt(N), () => y.at(i).set(x.at(i.add(1))), () => y.at(i).set(x.at(N.sub(i).sub(1))));
      for (const j of ax.j) y.at(j.mul(2)).set(x.at(j.add(5).min(N.sub(1))));
      for (const k of ax.k) y.at(k.div(3).mul(3)).set(x.at(k.mod(7).min(k)));
      return ax;
    }));
  });
  it('a choice bounds what is under it', () => {
    clean(kernel('choice', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      const room = scratch('f32', 'room', 64);
      for (const i of ax.i) y.at(i).set(x.at(select(i.lt(3), i, i.sub(3))));
      const few = named('few', select(N.le(64), N, 0)), b = axes({ k: few, l: few });
      for (const k of b.k) room.at(k).set(x.at(k));
      for (const l of b.l) y.at(l).set(room.at(l));
      return { ...ax, ...b };
    }));
  });
  const flat = (known: boolean): Parameters<typeof verify>[0] => kernel('flat', { x: tensor('f32', 'M', 'N'), y: tensor('f32', 'MN').out() }, ({ x, y, M, N, MN }) => {
    if (known) assume(M.mul(N).le(MN), 'M N <= MN');
    const ax = axes({ i: M, j: N });
    for (const i of ax.i) for (const j of ax.j) y.at(i.mul(N).add(j)).set(x.at(i, j));
    return ax;
  });
  it('products of sizes are understood once an assumption bounds them', () => {
    clean(flat(true));
    expect(verify(flat(false)).findings.map((f) => f.id)).toContain('KD-V-BOUNDS');
  });
  it('a multiple of 32 is one', () => {
    const k = (known: boolean): Parameters<typeof verify>[0] => kernel('blocks', { x: tensor('f32', 'K'), y: tensor('f32', 'K').out() }, ({ x, y, K }) => {
      if (known) assume(K.mod(32).eq(0), 'K % 32 == 0');
      const ax = axes({ b: K.add(31).div(32), i: 32 });
      for (const b of ax.b) for (const i of ax.i) y.at(b.mul(32).add(i)).set(x.at(b.mul(32).add(i)));
      return ax;
    });
    clean(k(true));
    const [f] = verify(k(false)).findings;
    expect(f).toMatchObject({ id: 'KD-V-BOUNDS', message: expect.stringMatching(/^[xy]\[\(b \* 32\) \+ i\]/) as string });
    expect(f!.counterexample!.sizes['K']! % 32).not.toBe(0);
  });
  it('what is neither proved nor refuted asks for an assumption in sizes', () => {
    const k = (known: boolean): Parameters<typeof verify>[0] => kernel('two', { x: tensor('f32', 'M'), n: scalar('i32'), y: tensor('f32', 'N').out() }, ({ x, y, n, N, M }) => {
      if (known) assume(N.add(n.to('i64')).le(M.add(1000)), 'N + n <= M + 1000');
      assume(n.gt(999), 'n > 999');
      assume(N.gt(0), 'N > 0');
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(i.add(n.to('i64').sub(1000))));
      return ax;
    });
    clean(k(true));
    expect(only(k(false), 'KD-V-BOUNDS-OPEN')).toMatchObject({ verdict: 'open', fix: expect.stringContaining('assume(n + N <= M + 1000') as string });
  });
});

describe('indices that are data', () => {
  const lookup = (checked: boolean) => kernel('lookup', { W: tensor('f32', 'V'), ids: tensor('i32', 'T'), y: tensor('f32', 'T').out() }, ({ W, ids, y, T, V }) => {
    const { n: each, ...ax } = axes({ n: T, t: T });
    if (checked) for (const n of each) assume(ids.at(n).ge(0).and(ids.at(n).to('i64').lt(V)), '0 <= ids < V');
    for (const t of ax.t) y.at(t).set(W.at(ids.at(t)));
    return ax;
  });
  const args = (ids: number[]) => ({ W: { data: Float32Array.of(10, 20, 30), shape: [3] }, ids: { data: Int32Array.from(ids), shape: [ids.length] }, y: { data: new Float32Array(ids.length), shape: [ids.length] } });
  it('need an assumption about all of them', () => {
    const f = verify(lookup(false)).findings[0]!;
    expect(f).toMatchObject({ id: 'KD-V-BOUNDS', verdict: 'refuted' });
    clean(lookup(true));
  });
  it('which the interpreter checks before it writes', () => {
    const good = args([2, 0]), bad = args([1, 3]);
    interpret(lookup(true).ir, good);
    expect([...good.y.data]).toEqual([30, 10]);
    expect(() => interpret(lookup(true).ir, bad)).toThrow(/KD-RUN-ASSUME.*0 <= ids < V/);
    expect([...bad.y.data]).toEqual([0, 0]);
  });
  it('bytes need none where the table has 256 rows', () => {
    clean(kernel('bytes', { W: tensor('f32', 256), ids: tensor('u8', 'T'), y: tensor('f32', 'T').out() }, ({ W, ids, y, T }) => {
      const ax = axes({ t: T });
      for (const t of ax.t) y.at(t).set(W.at(ids.at(t)));
      return ax;
    }));
  });
});

describe('races', () => {
  const marked = (k: ReturnType<typeof kernel>): Parameters<typeof verify>[0] => {
    // As a schedule without checks would leave it.
    const { body } = k.ir;
    const mark = (s: typeof body): typeof body => (s.kind === 'for' ? { ...s, loop: 'parallel' } : s.kind === 'block' ? { ...s, body: s.body.map(mark) } : s);
    return { ...k.ir, body: mark(body) };
  };
  it('two iterations that write one element are told with both numbers', () => {
    const k = marked(kernel('half', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i.div(2)).set(x.at(i));
      return ax;
    }));
    const f = only(k, 'KD-V-RACE');
    expect(f.message).toMatch(/^y\[0\] is touched by iterations i = [01] and i = [01] of the parallel loop i$/);
    expect(f.loc).toMatchObject({ col: 44 });
  });
  it('a read of what another iteration writes is one, and names both lines', () => {
    const k = marked(kernel('next', { y: tensor('f32', 'N').inout() }, ({ y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) when(i.add(1).lt(N), () => y.at(i).set(y.at(i.add(1))));
      return ax;
    }));
    const f = only(k, 'KD-V-RACE');
    expect(f.notes.map((n) => n.text)).toContainEqual(expect.stringMatching(/^read as y\[i \+ 1\]|^written as y\[i\]/));
    expect(f.notes.some((n) => n.loc !== undefined)).toBe(true);
  });
  it('what runs cannot show is left open, and refused', () => {
    const f = only(marked(kernel('far', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      assume(N.gt(100000), 'N > 100000');
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i.div(2)).set(x.at(i));
      return ax;
    })), 'KD-V-RACE-OPEN');
    expect(f).toMatchObject({ verdict: 'open', message: 'it is not proved that iterations of the parallel loop i touch different elements: y[i / 2] and y[i / 2]' });
  });
  it('a sum into one cell is one', () => {
    only(marked(kernel('sum', { x: tensor('f32', 'N'), y: tensor('f32', 1).inout() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(0).addAssign(x.at(i));
      return ax;
    })), 'KD-V-RACE');
  });
  it('blocks, streams and rows of their own are none', () => {
    clean(marked(kernel('apart', { x: tensor('f32', 'N'), y: tensor('f32', 'N').inout(), z: tensor('f32', 'N', 4).out() }, ({ x, y, z, N }) => {
      const ax = axes({ b: N.div(8), j: 8, n: N.div(2), r: N, k: 4 });
      for (const b of ax.b) for (const j of ax.j) y.at(b.mul(8).add(j)).addAssign(x.at(b));
      for (const n of ax.n) { y.at(n).mulAssign(2); y.at(n.add(N.div(2))).mulAssign(3); }
      for (const r of ax.r) for (const k of ax.k) z.at(N.sub(1).sub(r), k).set(x.at(r));
      return ax;
    })));
  });
});

describe('memory that starts undefined', () => {
  it('a read before any write is refuted', () => {
    const f = only(kernel('early', { y: tensor('f32', 'N').out() }, ({ y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).addAssign(1);
      return ax;
    }), 'KD-V-UNINIT');
    expect(f).toMatchObject({ verdict: 'refuted', message: 'y[i] reads what nothing has written' });
  });
  it('a write in one branch only is not enough', () => {
    const k = kernel('some', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) {
        const t = scratch('f32', 't', 4);
        when(i.gt(2), () => t.at(0).set(x.at(i)));
        y.at(i).set(t.at(0));
      }
      return ax;
    });
    expect(only(k, 'KD-V-UNINIT').counterexample!.at).toMatchObject({ i: expect.any(Number) as number });
  });
  it('both branches, earlier loops and earlier iterations are', () => {
    clean(kernel('whole', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out(), z: tensor('f32', 'N').out() }, ({ x, y, z, N }) => {
      const ax = axes({ i: N, a: 8, b: 2, c: 4, j: N, k: N });
      for (const i of ax.i) {
        const t = scratch('f32', 't', 8), acc = reg('f32', 0);
        when(x.at(i).gt(0), () => t.at(0).set(1), () => t.at(0).set(2));
        for (const a of ax.a) t.at(a).set(3);
        for (const b of ax.b) for (const c of ax.c) acc.addAssign(t.at(b.mul(4).add(c)));
        y.at(i).set(acc);
      }
      for (const j of ax.j) y.at(j).addAssign(y.at(N.sub(1).sub(j)));
      for (const k of ax.k) when(k.eq(0), () => z.at(k).set(0), () => z.at(k).set(z.at(k.sub(1))));
      return ax;
    }));
  });
});

describe('arithmetic', () => {
  it('a divisor that may be zero is told', () => {
    const div = (known: boolean): Parameters<typeof verify>[0] => kernel('div', { x: tensor('f32', 'N'), w: tensor('f32', 'G'), y: tensor('f32', 'N').out() }, ({ x, w, y, N, G }) => {
      if (known) assume(G.gt(0), 'G > 0');
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(i).mul(w.at(i.mod(G))));
      return ax;
    });
    clean(div(true));
    expect(verify(div(false)).findings.map((f) => f.id)).toContain('KD-V-DIV');
  });
  it('a product that no tensor bounds may leave the exact integers', () => {
    only(kernel('cube', { x: tensor('f32', 'N'), y: tensor('f32', 'N').out() }, ({ x, y, N }) => {
      const ax = axes({ i: N });
      for (const i of ax.i) y.at(i).set(x.at(i.mul(i).mul(i).min(i)));
      return ax;
    }), 'KD-V-RANGE');
  });
});
