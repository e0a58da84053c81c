/** Quern in one package: the kernel language and the libraries made with it, each under its name. */
import * as blas from '@quern/blas';
import * as dnn from '@quern/dnn';
import * as dsl from '@quern/kernel-dsl';
import * as fft from '@quern/fft';
import * as llm from '@quern/llm';
import * as runtime from '@quern/runtime';

export { blas, dnn, dsl, fft, llm, runtime };
