import { symbolOf } from '@quern/kernel-dsl/c';
import type { KernelIR, Target, ir } from '@quern/kernel-dsl';
import { ir as nodes } from '@quern/kernel-dsl';

/** Which end of an operand lies at a guard page. */
export type Side = 'start' | 'end';
/** The name of a kernel behind guards. */
export const guardedName = (name: string, side: Side): string => `${name}_at_${side}`;
/** What a guarded kernel returns when it touched memory that is not its own: this, plus four times the operand, plus 2 for after it, plus 1 for beside it. */
export const TRESPASS: number = 1 << 24;

/** A dimension as C. */
function dimensionC(e: ir.Expr, k: KernelIR): string {
  if (e.kind === 'const') return `INT64_C(${e.value})`;
  if (e.kind === 'size') return `size[${k.sizes.indexOf(e.name)}]`;
  if (e.kind !== 'binary') throw new Error(`a dimension is made of sizes and constants, not of ${e.kind}`);
  const a = dimensionC(e.a, k), b = dimensionC(e.b, k);
  const op = { add: '+', sub: '-', mul: '*', div: '/', mod: '%' }[e.fn as string];
  if (op !== undefined) return `(${a} ${op} ${b})`;
  if (e.fn === 'min' || e.fn === 'max') return `(${a} ${e.fn === 'min' ? '<' : '>'} ${b} ? ${a} : ${b})`;
  throw new Error(`a dimension cannot be computed with ${e.fn}`);
}

/**
 * C that calls a kernel on copies of its operands. Each copy ends (or starts) where a page begins that may not be touched. The rest of its last page holds a pattern.
 * A fault in a guard opens that page, is noted, and the kernel goes on; other faults go where they went before.
 */
export function guardC(k: KernelIR, t: Target): string {
  const tensors = k.params.flatMap((p) => (p.kind === 'tensor' ? [p.buf] : []));
  let slot = k.sizes.length;
  const spans = tensors.map((b, i) => {
    const dims = b.shape.map((e) => dimensionC(e, k)), from = slot;
    slot += dims.length;
    const reach = dims.map((d, n) => `  reach(&s, ${d}, size[${from + n}]);`).join('\n');
    return `  s = (struct span){0, 0, 0};\n${reach}${reach ? '\n' : ''}  copies[${i}] = place(${i}, buf[${i}], s, ${nodes.bytesOf(b.dtype)}, at_start);`;
  });
  const real = symbolOf(k.name, t.isa), signature = 'const quern_ctx *ctx, void *const *buf, const int64_t *size, const quern_scalar *scalar';
  const entry = (side: Side): string => `int32_t ${symbolOf(guardedName(k.name, side), t.isa)}(${signature});
int32_t ${symbolOf(guardedName(k.name, side), t.isa)}(${signature}) {
  return guarded(ctx, buf, size, scalar, ${side === 'start' ? 1 : 0});
}
`;
  return `// Runs ${k.name} with guard pages around every operand.
#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "quern.h"

enum { COUNT = ${Math.max(1, tensors.length)}, TRESPASS = ${TRESPASS}, PATTERN = 0xA5 };
static const size_t GUARD = (size_t)16 << 20;

// An operand's copy: [low, open) and [close, high) are guards, [open, close) may be touched, [begin, end) holds the elements.
struct area { unsigned char *low, *open, *begin, *end, *close, *high, *home; };
// Elements from first to last, counted from the one with index 0; none when empty.
struct span { int64_t first, last; int empty; };

static struct area areas[COUNT];
static volatile int trespass;
static struct sigaction before_segv, before_bus;

int32_t ${real}(${signature});

static void on_fault(int sig, siginfo_t *info, void *context) {
  unsigned char *at = info->si_addr;
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  for (int i = 0; i < ${tensors.length}; i++) {
    if (at < areas[i].low || at >= areas[i].high) continue;
    if (!trespass) trespass = TRESPASS + 4 * i + (at >= areas[i].close ? 2 : 0);
    mprotect((void *)((uintptr_t)at & ~(uintptr_t)(page - 1)), page, PROT_READ | PROT_WRITE);
    return;
  }
  const struct sigaction *old = sig == SIGSEGV ? &before_segv : &before_bus;
  if (old->sa_flags & SA_SIGINFO) old->sa_sigaction(sig, info, context);
  else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) old->sa_handler(sig);
  else signal(sig, SIG_DFL);
}

static void reach(struct span *s, int64_t n, int64_t stride) {
  if (n <= 0) s->empty = 1;
  else if (stride < 0) s->first += (n - 1) * stride;
  else s->last += (n - 1) * stride;
}

// Copies an operand between guards; returns the address of its element 0, or a null pointer when there is no memory.
static void *place(int i, void *operand, struct span s, int64_t bytes, int at_start) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), used = s.empty ? 0 : (size_t)((s.last - s.first + 1) * bytes), first = s.empty ? 0 : (size_t)-s.first * bytes;
  size_t pages = (used + page) / page * page;
  unsigned char *low = mmap(0, pages + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (low == MAP_FAILED) return 0;
  struct area a = {low, low + GUARD, 0, 0, low + GUARD + pages, low + 2 * GUARD + pages, (unsigned char *)operand - first};
  if (mprotect(a.open, pages, PROT_READ | PROT_WRITE)) return 0;
  a.begin = at_start ? a.open : a.close - used;
  a.end = a.begin + used;
  memset(a.open, PATTERN, pages);
  memcpy(a.begin, a.home, used);
  areas[i] = a;
  return a.begin + first;
}

static int intact(const unsigned char *from, const unsigned char *to) {
  for (; from < to; from++) if (*from != PATTERN) return 0;
  return 1;
}

static int32_t guarded(${signature}, int at_start) {
  void *copies[COUNT] = {0};
  struct span s;
  (void)buf;
${spans.join('\n')}
  trespass = 0;
  for (int i = 0; i < ${tensors.length}; i++) if (!copies[i]) return TRESPASS + 4 * COUNT;
  struct sigaction now = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigemptyset(&now.sa_mask);
  sigaction(SIGSEGV, &now, &before_segv);
  sigaction(SIGBUS, &now, &before_bus);
  int32_t answer = ${real}(ctx, copies, size, scalar);
  sigaction(SIGSEGV, &before_segv, 0);
  sigaction(SIGBUS, &before_bus, 0);
  for (int i = 0; i < ${tensors.length}; i++) {
    struct area *a = &areas[i];
    if (!trespass && !intact(a->open, a->begin)) trespass = TRESPASS + 4 * i + 1;
    if (!trespass && !intact(a->end, a->close)) trespass = TRESPASS + 4 * i + 3;
    memcpy(a->home, a->begin, (size_t)(a->end - a->begin));
    munmap(a->low, (size_t)(a->high - a->low));
  }
  return trespass ? trespass : answer;
}

${entry('start')}
${entry('end')}`;
}
