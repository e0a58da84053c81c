{
  'targets': [{
    'target_name': 'quern_runtime',
    'sources': [
      'addon/addon.c', 'addon/args.c', 'addon/gpu.c', 'addon/gpu_launch.c', 'addon/info.c', 'addon/kernels.c', 'addon/memories.c', 'addon/pins.c',
      'addon/plan_async.c', 'addon/plans.c',
      'core/arena.c', 'core/call.c', 'core/cpu.c', 'core/cpus.c', 'core/cuda.c', 'core/gpu.c', 'core/library.c', 'core/measure.c', 'core/memory.c', 'core/nvrtc.c',
      'core/opencl.c', 'core/plan.c', 'core/pool.c', 'core/wait.c'
    ],
    'defines': ['NAPI_VERSION=8', '_GNU_SOURCE'],
    'cflags': ['-std=c11', '-O2', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror=implicit-function-declaration', '-pthread'],
    'ldflags': ['-pthread', '-Wl,--gc-sections'],
    'libraries': ['-ldl'],
    'conditions': [
      # The pool's threads run this code, so it is never unmapped, even when the JavaScript thread that loaded it ends.
      ['OS == "linux"', { 'ldflags': ['-Wl,-z,nodelete', '-s'] }],
      ['OS == "mac"', {
        'xcode_settings': { 'GCC_OPTIMIZATION_LEVEL': '2', 'OTHER_CFLAGS': ['-std=c11', '-fvisibility=hidden', '-Wall', '-Wextra', '-Werror=implicit-function-declaration'] },
        'libraries!': ['-ldl']
      }]
    ]
  }]
}
