{
  'includes': ['gen/library.gypi'],
  'targets': [{
    # libquern_blas.so for C: the same kernels with the runtime's threads and arenas inside, so that it stands alone.
    'target_name': 'blas_c_abi',
    'type': 'shared_library',
    'product_prefix': 'lib',
    'product_name': 'quern_blas',
    'product_dir': '<(module_root_dir)/../lib',
    'sources': [
      '../abi/gemm.c', '../abi/kernels.c', '../abi/threads.c', '../abi/xerbla.c', 'gen/index.c',
      '../../runtime/native/core/arena.c', '../../runtime/native/core/call.c', '../../runtime/native/core/cpu.c',
      '../../runtime/native/core/cpus.c', '../../runtime/native/core/library.c', '../../runtime/native/core/pool.c',
      '../../runtime/native/core/wait.c'
    ],
    'include_dirs': ['../../runtime/native/include'],
    'dependencies': ['<@(quern_parts)'],
    'defines': ['_GNU_SOURCE'],
    'cflags': ['-std=c11', '-O2', '-fvisibility=hidden', '-ffunction-sections', '-Wall', '-Wextra', '-Werror=implicit-function-declaration', '-pthread'],
    'ldflags': ['-pthread', '-Wl,--gc-sections', '-s'],
    'libraries': ['-ldl', '-lm'],
    'conditions': [
      # Threads of the pool run this code, so it is never unmapped; nothing but the C interface is visible to the program.
      ['OS == "linux"', { 'ldflags': ['-Wl,-z,nodelete', '-Wl,--version-script=<(module_root_dir)/../abi/exports.map'] }]
    ]
  }]
}
