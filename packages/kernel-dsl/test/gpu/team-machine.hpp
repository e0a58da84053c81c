// What warp-machine.hpp lacks for programs of warpgroups (compute capability 9.0): barriers in memory, tiles that the copy engine brings, to one workgroup of a cluster or to
// several, and products of 128 lanes, as the PTX manual says of them. What is asynchronous happens at once or, where `late` is set, no sooner than somebody waits for it.
#include "warp-machine.hpp"
#include <map>

static void wrong(const char *what) { fprintf(stderr, "%s\n", what); exit(1); }

/** Of 8 bytes: arrivals that a round takes, those and the bytes that are still to come, and the parity of the round. */
struct Mbarrier { uint16_t count : 15, parity : 1; int16_t pending; int32_t bytes; };
static inline Mbarrier *mbarrier_at(uint32_t a) { return (Mbarrier *)at_shared(a); }
static inline void settle(Mbarrier *b) {
  progress++;
  if (b->pending < 0) wrong("more arrivals at a barrier than it takes");
  if (b->pending == 0 && b->bytes == 0) { b->parity ^= 1; b->pending = b->count; }
}
static inline void mbarrier_init_at(uint32_t a, int count) { Mbarrier *b = mbarrier_at(a); b->count = count; b->parity = 0; b->pending = count; b->bytes = 0; }
static inline void mbarrier_expect_at(uint32_t a, int bytes) { Mbarrier *b = mbarrier_at(a); b->bytes += bytes; b->pending--; settle(b); }
static inline void mbarrier_arrive_here(uint32_t a) { Mbarrier *b = mbarrier_at(a); b->pending--; settle(b); }
static inline void mbarrier_wait_at(uint32_t a, int parity) { while (mbarrier_at(a)->parity == parity) swapcontext(&now->context, &scheduler); }

/** The same place in another workgroup of the cluster. */
static inline uint32_t mapa(uint32_t a, int rank) { if (rank < 0 || rank >= (int)groups.size()) wrong("no such workgroup in the cluster"); return (uint32_t)rank << 20 | a; }
static inline unsigned char *in_cluster(unsigned rank, uint32_t a) {
  if (!groups[rank].running) wrong("memory of a workgroup that has ended is touched");
  return groups[rank].memory + a;
}
static inline void mbarrier_arrive_there(uint32_t a) { Mbarrier *b = (Mbarrier *)in_cluster(a >> 20, a & 0xfffff); b->pending--; settle(b); }

/** A tensor as the copy engine knows it, innermost dimension first; strides in bytes. */
struct Map { char *at; int rank, size, swizzle, box[5], dims[5], strides[5]; };
static inline uint32_t swizzled(uint32_t a) { return a ^ (a >> 7 & 7) << 4; }
static std::vector<std::function<void()>> coming;
static bool one_comes() {
  if (coming.empty()) return false;
  const size_t i = rand() % coming.size();
  const std::function<void()> f = coming[i];
  coming.erase(coming.begin() + i);
  f();
  return true;
}
static inline void bulk_copy(std::vector<int> from, uint32_t to, const void *map, uint32_t bar, int mask) {
  Map m;
  memcpy(&m, map, sizeof m);
  if (to % (m.swizzle == 128 ? 1024 : 128)) wrong("a tile at an address that is no multiple of 1024");
  deliver = one_comes;
  for (unsigned g = 0; g < groups.size(); g++) if (mask ? mask >> g & 1 : g == now->group->rank) {
    auto copy = [=] {
      unsigned char *memory = in_cluster(g, 0);
      int n = 1, at[5];
      for (int d = 0; d < m.rank; d++) n *= m.box[d];
      for (int i = 0; i < n; i++) {
        bool there = true;
        long place = 0;
        for (int d = 0, rest = i; d < m.rank; rest /= m.box[d++]) { at[d] = from[d] + rest % m.box[d]; there &= at[d] >= 0 && at[d] < m.dims[d]; place += (long)at[d] * m.strides[d]; }
        const uint32_t a = to + i * m.size;
        if (there) memcpy(memory + (m.swizzle == 128 ? swizzled(a) : a), m.at + place, m.size); else memset(memory + (m.swizzle == 128 ? swizzled(a) : a), 0, m.size);
      }
      Mbarrier *b = (Mbarrier *)(memory + bar);
      b->bytes -= n * m.size;
      settle(b);
    };
    if (late) coming.push_back(copy); else copy();
  }
}

/** Products of lanes that are asked for, in groups, the last one open. */
static std::map<Lane *, std::vector<std::vector<std::function<void()>>>> asked;
static inline void ask(std::function<void()> f) { auto &a = asked[now]; if (a.empty()) a.emplace_back(); if (late) a.back().push_back(f); else f(); }
static inline void wgmma_commit_group() { auto &a = asked[now]; if (a.empty()) a.emplace_back(); a.emplace_back(); }
static inline void wgmma_wait_group(int n) { auto &a = asked[now]; while ((int)a.size() > n + 1) { for (auto &f : a.front()) f(); a.erase(a.begin()); } }
template <class E> static float element_at(const unsigned char *memory, uint32_t a) { typename E::held x; memcpy(&x, memory + swizzled(a), sizeof x); return E::value(x); }
static inline uint32_t start_of(uint64_t descriptor) { return (descriptor & 0x3fff) << 4; }
/** c += a b, or c = a b: both factors in rows of 128 bytes along k, 8 rows 1024 bytes apart. */
template <class E, class C> static void wgmma(const std::vector<C *> &c, int k, uint64_t a, uint64_t b, int more) {
  const unsigned char *memory = shared_memory;
  const int l = now->number % 32, w = now->number / 32 % 4;
  if ((a >> 32 & 0x3fff) != 64 || (b >> 32 & 0x3fff) != 64 || a >> 62 != 1) wrong("a descriptor of another layout");
  ask([=] {
    auto row = [&](uint64_t d, int r, int x) { return element_at<E>(memory, start_of(d) + r / 8 * 1024 + r % 8 * 128 + x * sizeof(typename E::held)); };
    for (size_t i = 0; i < c.size(); i++) {
      C sum = more ? *c[i] : 0;
      const int r = 16 * w + l / 4 + 8 * (i / 2 % 2), n = i / 4 * 8 + l % 4 * 2 + i % 2;
      for (int x = 0; x < k; x++) sum += (C)row(a, r, x) * (C)row(b, n, x);
      *c[i] = sum;
    }
  });
}
/** The same with the first factor in registers, two neighbours along k in each, and the second one in rows of 128 bytes along n. */
template <class E, class C> static void wgmma_held(const std::vector<C *> &c, int k, const std::vector<uint32_t> &a, uint64_t b, int more) {
  Warp &w = warp();
  const int l = lane_id();
  memcpy(w.a[l], a.data(), 16);
  w.meet.wait();
  std::vector<uint32_t> quad(16);
  for (int t = 0; t < 4; t++) memcpy(&quad[4 * t], w.a[l / 4 * 4 + t], 16);
  w.meet.wait();
  const unsigned char *memory = shared_memory;
  ask([=] {
    for (size_t i = 0; i < c.size(); i++) {
      C sum = more ? *c[i] : 0;
      const int h = i / 2 % 2, n = i / 4 * 8 + l % 4 * 2 + i % 2;
      for (int x = 0; x < k; x++) {
        typename E::held first;
        memcpy(&first, (char *)&quad[4 * (x % 8 / 2) + 2 * (x / 8) + h] + x % 2 * 2, 2);
        sum += (C)E::value(first) * (C)element_at<E>(memory, start_of(b) + n / 64 * ((b >> 16 & 0x3fff) << 4) + x / 8 * 1024 + x % 8 * 128 + n % 64 * 2);
      }
      *c[i] = sum;
    }
  });
}
