/** What f throws. */
export function thrown(f: () => unknown): Error & { readonly code?: string; readonly fix?: string } {
  try {
    f();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: string; readonly fix?: string }> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Runs f with environment variables set (undefined: unset), and puts them back. */
export async function withEnv<T>(env: Readonly<Record<string, string | undefined>>, f: () => T | Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(env).map((k) => [k, process.env[k]]));
  const put = (values: Readonly<Record<string, string | undefined>>): void => {
    for (const [k, v] of Object.entries(values)) {
      if (v === undefined) delete process.env[k];
      else process.env[k] = v;
    }
  };
  put(env);
  try {
    return await f();
  } finally {
    put(before);
  }
}
