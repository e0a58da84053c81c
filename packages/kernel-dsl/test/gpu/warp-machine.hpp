// A cluster of workgroups of an NVIDIA GPU on a CPU, as far as products by warps go: lanes are fibers that meet at barriers; products, matrix loads and asynchronous copies do
// what the PTX manual says of them (registers of m16n8 fragments: lane l has rows l / 4 and l / 4 + 8, columns 2 (l % 4) and one more). Emitted CUDA is compiled against this
// header; team-machine.hpp adds what is for warpgroups.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <math.h>
#include <ucontext.h>
#include <vector>

struct alignas(8) uint2 { unsigned x, y; };
struct alignas(16) uint4 { unsigned x, y, z, w; };
struct alignas(16) double2 { double x, y; };
struct Index { unsigned x, y, z; };

struct Barrier {
  int n = 0, count = 0, phase = 0;
  void wait();
};
struct Warp { Barrier meet; unsigned char a[32][128], b[32][128]; };
struct Copy { void *to; const void *from; int size, bytes; };
constexpr unsigned SHARED = 232448;
struct Group { Index index; unsigned rank = 0; Barrier block; std::vector<Warp> warps; unsigned char *memory = nullptr; int running = 0; };
struct Lane {
  Group *group;
  Index thread;
  unsigned number;   // of all lanes, x counting fastest
  ucontext_t context;
  std::vector<char> stack;
  bool done = false;
  std::vector<std::vector<Copy>> groups;   // asynchronous copies that are not made yet, the last group still open
};
static Lane *now;
static ucontext_t scheduler;
static std::vector<Lane *> lanes;
static std::vector<Group> groups;   // of the cluster that runs
static Barrier cluster;
static long progress;   // counts what lanes that wait may be waiting for
static bool nothing() { return false; }
static bool (*deliver)() = nothing;   // where all lanes wait: lets one thing happen that is on its way
static bool late;   // copies are made when they are waited for, at the latest; or at once
alignas(1024) static unsigned char memories[8][(SHARED + 1023) / 1024 * 1024];
#define shared_memory (now->group->memory)
#define blockIdx (now->group->index)
#define threadIdx (now->thread)
#define __device__
#define __global__
#define __grid_constant__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static
#define __align__(n) __attribute__((aligned(n)))

inline void Barrier::wait() {
  const int p = phase;
  progress++;
  if (++count == n) { count = 0; phase++; return; }
  while (phase == p) swapcontext(&now->context, &scheduler);
}
static inline void __syncthreads() { now->group->block.wait(); }
static inline uint32_t atomicCAS(uint32_t *p, uint32_t expected, uint32_t next) { const uint32_t old = *p; if (old == expected) *p = next; return old; }
static inline Warp &warp() { return now->group->warps[now->number / 32]; }
static inline int lane_id() { return now->number % 32; }
// Addresses of shared memory are 32 bits: what a launch asks for begins at 0; variables lie in this program's data, within 4 GiB.
static inline uint32_t __cvta_generic_to_shared(const void *p) {
  const uintptr_t own = (uintptr_t)p - (uintptr_t)shared_memory;
  return (uint32_t)(own < SHARED ? own : (uintptr_t)p - ((uintptr_t)memories & ~0x7fffffffull));
}
static inline void *at_shared(uint32_t a) { return a < SHARED ? (void *)(shared_memory + a) : (void *)(((uintptr_t)memories & ~0x7fffffffull) + a); }

static inline float __uint_as_float(unsigned x) { float f; memcpy(&f, &x, 4); return f; }
static inline unsigned __float_as_uint(float f) { unsigned x; memcpy(&x, &f, 4); return x; }
static inline float half_to_float(uint16_t h) { _Float16 x; memcpy(&x, &h, 2); return (float)x; }
static inline uint16_t float_to_half(float f) { _Float16 x = (_Float16)f; uint16_t h; memcpy(&h, &x, 2); return h; }
static inline float bf16_to_float(uint16_t h) { uint32_t u = (uint32_t)h << 16; float f; memcpy(&f, &u, 4); return f; }
static inline uint16_t float_to_bf16(float f) { uint32_t u; memcpy(&u, &f, 4); return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16); }
template <class F> static inline uint32_t halves(uint32_t x, uint32_t y, F f) {
  return float_to_half(f(half_to_float(x), half_to_float(y))) | (uint32_t)float_to_half(f(half_to_float(x >> 16), half_to_float(y >> 16))) << 16;
}
template <class T> static inline T __shfl_xor_sync(unsigned, T x, int by) {
  Warp &w = warp();
  memcpy(w.a[lane_id()], &x, sizeof x);
  w.meet.wait();
  T got;
  memcpy(&got, w.a[lane_id() ^ by], sizeof got);
  w.meet.wait();
  return got;
}

/** Four matrices of 8 rows of 16 bytes, at the addresses that eight lanes each give: lane l gets word l % 4 of row l / 4 of each. */
static inline void ldmatrix_x4(const std::vector<uint32_t *> &out, uint32_t address) {
  Warp &w = warp();
  memcpy(w.a[lane_id()], &address, 4);
  w.meet.wait();
  for (int m = 0; m < 4; m++) {
    uint32_t row;
    memcpy(&row, w.a[8 * m + lane_id() / 4], 4);
    if (row % 16) { fprintf(stderr, "ldmatrix of an address that is no multiple of 16\n"); exit(1); }
    memcpy(out[m], (char *)at_shared(row) + 4 * (lane_id() % 4), 4);
  }
  w.meet.wait();
}
struct F16 { typedef uint16_t held; static float value(held h) { return half_to_float(h); } };
struct BF16 { typedef uint16_t held; static float value(held h) { return bf16_to_float(h); } };
struct TF32 { typedef uint32_t held; static float value(held u) { u &= 0xffffe000; float f; memcpy(&f, &u, 4); return f; } };
struct S8 { typedef int8_t held; static int value(held x) { return x; } };
struct F64 { typedef double held; static double value(held x) { return x; } };
/** c += a b: a lane's registers hold E neighbours along k; register q R + h of a is of row l / 4 + 8 h, R being the rows of c over 8, and of the q-th 4 E of k. */
template <class E, class C, class Reg> static void mma(const std::vector<C *> &c, const std::vector<Reg> &a, const std::vector<Reg> &b) {
  Warp &w = warp();
  const int l = lane_id(), rows = c.size() / 2, each = sizeof(Reg) / sizeof(typename E::held);
  memcpy(w.a[l], a.data(), a.size() * sizeof(Reg));
  memcpy(w.b[l], b.data(), b.size() * sizeof(Reg));
  w.meet.wait();
  auto element = [&](unsigned char *from, int reg, int e) { typename E::held x; memcpy(&x, from + reg * sizeof(Reg) + e * sizeof x, sizeof x); return E::value(x); };
  for (int h = 0; h < rows; h++) for (int j = 0; j < 2; j++) {
    const int row = l / 4, col = 2 * (l % 4) + j;
    for (int q = 0; q < (int)b.size(); q++) for (int t = 0; t < 4; t++) for (int e = 0; e < each; e++)
      *c[2 * h + j] += (C)element(w.a[row * 4 + t], q * rows + h, e) * (C)element(w.b[col * 4 + t], q, e);
  }
  w.meet.wait();
}

static inline void make(const Copy &c) { memset(c.to, 0, c.size); memcpy(c.to, c.from, c.bytes); }
static inline void copy_async(uint32_t to, const void *from, int size, int bytes) {
  const Copy c{at_shared(to), from, size, bytes};
  if ((uintptr_t)c.to % size || (bytes && (uintptr_t)from % size)) { fprintf(stderr, "cp.async of %d bytes from or to an address that is no multiple of them\n", size); exit(1); }
  if (!late) { make(c); return; }
  now->groups.back().push_back(c);
}
static inline void copies_commit_group() { now->groups.emplace_back(); }
static inline void copies_wait_group(int n) {
  while ((int)now->groups.size() > n + 1) { for (const Copy &c : now->groups.front()) make(c); now->groups.erase(now->groups.begin()); }
}

static std::function<void()> body;
static void enter() { body(); now->done = true; now->group->running--; progress++; for (;;) swapcontext(&now->context, &scheduler); }
/** Runs all workgroups of a launch, one cluster after another; lanes go on in turns. Shared memory starts as garbage. */
static void launch(const unsigned (&grid)[3], const unsigned (&of)[3], const unsigned (&together)[3], std::function<void()> f) {
  const unsigned n = of[0] * of[1] * of[2], all = together[0] * together[1] * together[2];
  body = f;
  for (unsigned z = 0; z < grid[2]; z += together[2]) for (unsigned y = 0; y < grid[1]; y += together[1]) for (unsigned x = 0; x < grid[0]; x += together[0]) {
    groups.assign(all, Group{});
    cluster = Barrier{(int)(n * all)};
    for (unsigned g = 0; g < all; g++) {
      Group &group = groups[g];
      group.rank = g;
      group.index = Index{x + g % together[0], y + g / together[0] % together[1], z + g / together[0] / together[1]};
      group.memory = memories[g];
      memset(group.memory, 0x7f, SHARED);
      group.block = Barrier{(int)n};
      group.running = n;
      group.warps.assign((n + 31) / 32, Warp{});
      for (unsigned w = 0; w < group.warps.size(); w++) group.warps[w].meet.n = n - 32 * w < 32 ? n - 32 * w : 32;
      for (unsigned i = 0; i < n; i++) {
        Lane *l = new Lane;
        l->group = &group;
        l->number = i;
        l->thread = Index{i % of[0], i / of[0] % of[1], i / of[0] / of[1]};
        l->stack.resize(1 << 17);
        l->groups.emplace_back();
        getcontext(&l->context);
        l->context.uc_stack.ss_sp = l->stack.data();
        l->context.uc_stack.ss_size = l->stack.size();
        l->context.uc_link = &scheduler;
        makecontext(&l->context, enter, 0);
        lanes.push_back(l);
      }
    }
    for (bool any = true; any;) {
      const long before = progress;
      any = false;
      // One workgroup goes as far as it can before the next one begins, or all in step.
      for (Group &group : groups) for (long last = -1; last != progress;) {
        last = progress;
        for (Lane *l : lanes) if (l->group == &group && !l->done) { any = true; now = l; swapcontext(&scheduler, &l->context); }
        if (late) last = progress;
      }
      if (any && progress == before && !deliver()) { fprintf(stderr, "all lanes wait, and nothing is on its way\n"); exit(1); }
    }
    for (Lane *l : lanes) delete l;
    lanes.clear();
  }
}
