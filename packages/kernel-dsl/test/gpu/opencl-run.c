// Runs OpenCL programs for the tests: opencl-run REQUESTS ANSWERS. For each line "JOB OUT PRINTED" of REQUESTS it reads jobs (see harness.ts) from a file, writes
// the buffers of each after its launches to another, what kernels print to a third, and a 1 to ANSWERS. It stays, since an OpenCL driver takes a second or more to start.
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *in, *out;

static void fail(const char *what, long code) {
  fprintf(stderr, "%s (%ld)\n", what, code);
  exit(1);
}
static int64_t word(void) {
  int64_t x;
  if (fread(&x, 8, 1, in) != 1) fail("the job ends early", 0);
  return x;
}
/* n bytes and a zero behind them */
static char *bytes(int64_t n) {
  char *p = malloc((size_t)n + 1);
  if (!p || fread(p, 1, (size_t)n, in) != (size_t)n) fail("the job ends early", n);
  p[n] = 0;
  return p;
}
static void check(cl_int e, const char *what) {
  if (e != CL_SUCCESS) fail(what, e);
}

/* The program of all jobs. */
static cl_program built(cl_device_id device, cl_context context) {
  cl_int e;
  char *source = bytes(word()), *flags = bytes(word());
  const char *text = source;
  cl_program program = clCreateProgramWithSource(context, 1, &text, NULL, &e);
  check(e, "clCreateProgramWithSource");
  if (clBuildProgram(program, 1, &device, flags, NULL, NULL) != CL_SUCCESS) {
    size_t n = 0;
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, NULL, &n);
    char *log = malloc(n + 1);
    clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, n, log, NULL);
    log[n] = 0;
    fprintf(stderr, "%s\n%s\n", log, source);
    exit(1);
  }
  free(source);
  free(flags);
  return program;
}

static void run(cl_context context, cl_command_queue queue, cl_program program) {
  cl_int e;
  const int64_t buffers = word();
  cl_mem *mem = calloc((size_t)buffers + 1, sizeof *mem);
  int64_t *size = calloc((size_t)buffers + 1, sizeof *size);
  for (int64_t i = 0; i < buffers; i++) {
    size[i] = word();
    char *data = bytes(size[i]);
    mem[i] = clCreateBuffer(context, CL_MEM_READ_WRITE, size[i] ? (size_t)size[i] : 1, NULL, &e);
    check(e, "clCreateBuffer");
    if (size[i]) check(clEnqueueWriteBuffer(queue, mem[i], CL_TRUE, 0, (size_t)size[i], data, 0, NULL, NULL), "clEnqueueWriteBuffer");
    free(data);
  }
  const int64_t launches = word();
  for (int64_t l = 0; l < launches; l++) {
    char *entry = bytes(word());
    cl_kernel kernel = clCreateKernel(program, entry, &e);
    check(e, entry);
    size_t global[3], local[3];
    for (int d = 0; d < 3; d++) global[d] = (size_t)word();
    for (int d = 0; d < 3; d++) local[d] = (size_t)word();
    const int64_t args = word();
    for (int64_t a = 0; a < args; a++) {
      const int64_t kind = word(), x = word();
      if (kind == 0) check(clSetKernelArg(kernel, (cl_uint)a, sizeof(cl_mem), &mem[x]), "clSetKernelArg of a buffer");
      else { char *v = bytes(x); check(clSetKernelArg(kernel, (cl_uint)a, (size_t)x, v), "clSetKernelArg"); free(v); }
    }
    check(clEnqueueNDRangeKernel(queue, kernel, 3, NULL, global, local, 0, NULL, NULL), entry);
    check(clFinish(queue), "clFinish");
    clReleaseKernel(kernel);
    free(entry);
  }
  for (int64_t i = 0; i < buffers; i++) {
    char *data = malloc((size_t)size[i] + 1);
    if (size[i]) check(clEnqueueReadBuffer(queue, mem[i], CL_TRUE, 0, (size_t)size[i], data, 0, NULL, NULL), "clEnqueueReadBuffer");
    fwrite(data, 1, (size_t)size[i], out);
    free(data);
    clReleaseMemObject(mem[i]);
  }
  free(mem);
  free(size);
}

int main(int argc, char **argv) {
  FILE *requests, *answers;
  if (argc != 3 || !(requests = fopen(argv[1], "r")) || !(answers = fopen(argv[2], "r+"))) fail("usage: opencl-run REQUESTS ANSWERS", argc);
  cl_platform_id platforms[8];
  cl_uint n = 0;
  cl_device_id device = NULL;
  check(clGetPlatformIDs(8, platforms, &n), "clGetPlatformIDs");
  for (cl_uint i = 0; i < n && !device; i++) if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS) device = NULL;
  if (!device) fail("there is no OpenCL device", n);
  cl_int e;
  cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &e);
  check(e, "clCreateContext");
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, &e);
  check(e, "clCreateCommandQueue");
  char job[1024], result[1024], printed[1024];
  while (fscanf(requests, "%1023s %1023s %1023s", job, result, printed) == 3) {
    alarm(240);
    if (!(in = fopen(job, "rb")) || !(out = fopen(result, "wb")) || !freopen(printed, "w", stdout)) fail("a file cannot be opened", 0);
    int64_t jobs = word();
    cl_program program = built(device, context);
    for (; jobs > 0; jobs--) run(context, queue, program);
    clReleaseProgram(program);
    fclose(in);
    if (fflush(stdout) != 0 || fclose(out) != 0) fail("a file cannot be written", 0);
    alarm(0);
    fputs("1\n", answers);
    fflush(answers);
  }
  clReleaseCommandQueue(queue);
  clReleaseContext(context);
  return 0;
}
