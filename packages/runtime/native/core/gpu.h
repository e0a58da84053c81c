/* GPUs, as the addon sees them: one table of functions a driver, behind which a vendor's library is loaded when it is first
 * asked for. Nothing here knows JavaScript; nothing aborts. Every call that fails leaves its reason in a quern_gpu_error. */
#ifndef QUERN_GPU_H
#define QUERN_GPU_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

enum { QUERN_GPU_LOG = 1 << 16, QUERN_GPU_MARKS = 64 };

/* What kind of failure it was. */
typedef enum quern_gpu_code {
  QUERN_GPU_OK = 0,
  QUERN_GPU_ABSENT,   /* no driver, or no such device */
  QUERN_GPU_MEMORY,   /* the device has no memory left */
  QUERN_GPU_COMPILE,  /* the compiler refused a source; `text` holds its log */
  QUERN_GPU_LAUNCH,   /* a launch was refused: sizes, resources, arguments */
  QUERN_GPU_LOST,     /* the device failed; nothing on it can be used any more */
  QUERN_GPU_FAILED    /* anything else */
} quern_gpu_code;

typedef struct quern_gpu_error {
  quern_gpu_code code;
  char *text; /* QUERN_GPU_LOG bytes, the caller's */
} quern_gpu_error;

typedef struct quern_gpu_info {
  char name[256], vendor[128], driver[128], features[512]; /* features: words with spaces between */
  int32_t software;                                          /* imitates a GPU on the CPU */
  int32_t integrated;
  int32_t units;     /* multiprocessors, compute units */
  int32_t major, minor; /* CUDA: compute capability; OpenCL: version of the device */
  int32_t lanes;     /* most lanes of a workgroup */
  int64_t memory, max_buffer, shared, shared_optin, cache, texels; /* texels: of an image over a buffer, 0: no images */
  int64_t grid[3], block[3];
} quern_gpu_info;

typedef struct quern_gpu_device quern_gpu_device;
typedef struct quern_gpu_buffer quern_gpu_buffer;
typedef struct quern_gpu_module quern_gpu_module;

/* One argument of a launch: a value of `size` bytes, or a buffer with an offset in bytes (of CUDA alone; elsewhere 0). A buffer with a `size` is an image of four
 * elements a texel (OpenCL): 1 + index into "f32 i32 u32 i16 u16 i8 u8". */
typedef struct quern_gpu_arg {
  quern_gpu_buffer *buffer;
  uint64_t offset;
  const void *value;
  uint32_t size;
} quern_gpu_arg;

typedef struct quern_gpu_launch {
  quern_gpu_module *module;
  int32_t function;
  uint32_t grid[3], block[3]; /* grid in workgroups */
  uint32_t dynamic_shared;
  uint32_t cluster[3]; /* workgroups that run together; 0 or 1 where they do not */
  int32_t overlap; /* may start while the launch before ends (programmatic dependent launch) */
  int32_t argc;
  const quern_gpu_arg *args;
} quern_gpu_launch;

typedef struct quern_gpu_map {
  quern_gpu_buffer *buffer;
  uint64_t offset;
  int32_t dtype; /* index into "u8 u16 u32 i32 u64 i64 f16 f32 f64 bf16" */
  int32_t rank, swizzle;
  uint64_t dims[5], strides[5]; /* innermost first; strides in bytes, of dimension 1 and on */
  uint32_t box[5];
} quern_gpu_map;

/* A driver. Devices are counted by the driver; handles are freed by the functions here and hold their device. */
typedef struct quern_gpu_driver {
  const char *kind;
  int (*count)(quern_gpu_error *e); /* devices, or -1 */
  int (*describe)(int index, quern_gpu_info *info, quern_gpu_error *e);
  quern_gpu_device *(*open)(int index, quern_gpu_error *e);
  void (*close)(quern_gpu_device *d);
  quern_gpu_buffer *(*alloc)(quern_gpu_device *d, uint64_t bytes, quern_gpu_error *e);
  void (*free)(quern_gpu_buffer *b);
  int (*write)(quern_gpu_buffer *b, uint64_t offset, const void *from, uint64_t bytes, quern_gpu_error *e);
  int (*read)(quern_gpu_buffer *b, uint64_t offset, void *to, uint64_t bytes, quern_gpu_error *e); /* waits */
  int (*copy)(quern_gpu_buffer *to, uint64_t at, quern_gpu_buffer *from, uint64_t offset, uint64_t bytes, quern_gpu_error *e);
  int (*fill)(quern_gpu_buffer *b, uint64_t offset, int byte, uint64_t bytes, quern_gpu_error *e);
  /* Source to machine code; flags are words. The log of a success is left in e->text. */
  quern_gpu_module *(*build)(quern_gpu_device *d, const char *source, int flagc, const char *const *flags, quern_gpu_error *e);
  quern_gpu_module *(*load)(quern_gpu_device *d, const void *binary, uint64_t bytes, quern_gpu_error *e);
  /* The machine code, malloc'd. */
  void *(*binary)(quern_gpu_module *m, uint64_t *bytes, quern_gpu_error *e);
  int (*function)(quern_gpu_module *m, const char *entry, quern_gpu_error *e); /* its number in the module, or -1 */
  void (*unload)(quern_gpu_module *m);
  int (*launch)(quern_gpu_device *d, const quern_gpu_launch *l, quern_gpu_error *e);
  int (*sync)(quern_gpu_device *d, quern_gpu_error *e);
  int (*mark)(quern_gpu_device *d, int slot, quern_gpu_error *e);                       /* a point in the stream */
  int (*elapsed)(quern_gpu_device *d, int from, int to, double *ns, quern_gpu_error *e); /* waits for `to` */
  int (*tensor_map)(quern_gpu_device *d, const quern_gpu_map *m, unsigned char out[128], quern_gpu_error *e); /* NULL: none */
  /* What the compiler and the driver are, for keys of caches. */
  int (*identity)(quern_gpu_device *d, char *text, int size, quern_gpu_error *e);
} quern_gpu_driver;

const quern_gpu_driver *quern_gpu_cuda(void);
const quern_gpu_driver *quern_gpu_opencl(void);

/* Sets an error; always returns -1, or 0 where `code` is QUERN_GPU_OK. */
int quern_gpu_fail(quern_gpu_error *e, quern_gpu_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Opens the first library of a list that loads: the file that the environment names, else the names given. NULL with every reason. */
void *quern_gpu_dlopen(const char *variable, const char *const *names, quern_gpu_error *e);

/* What is loaded at most once in a process, however many threads ask, and remembers why where it could not be. */
typedef struct quern_gpu_once {
  pthread_mutex_t lock;
  int state; /* 1: loaded, -1: not to be had */
  quern_gpu_code code;
  char why[2048];
} quern_gpu_once;
#define QUERN_GPU_ONCE {.lock = PTHREAD_MUTEX_INITIALIZER}
/* 0 when `load` has succeeded, now or before; else its error, each time. */
int quern_gpu_load_once(quern_gpu_once *o, int (*load)(quern_gpu_error *e), quern_gpu_error *e);

#endif
