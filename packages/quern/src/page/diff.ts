/**
 * Which lines of `after` are not in `before`: those outside of a longest common subsequence (Hunt and Szymanski's problem, here by the plain
 * table; programs have a few hundred lines).
 */
export function added(before: readonly string[], after: readonly string[]): ReadonlySet<number> {
  const n = before.length, m = after.length, width = m + 1;
  const length = new Uint32Array((n + 1) * width);
  for (let i = n - 1; i >= 0; i--) {
    for (let j = m - 1; j >= 0; j--) {
      length[i * width + j] = before[i] === after[j] ? length[(i + 1) * width + j + 1]! + 1 : Math.max(length[(i + 1) * width + j]!, length[i * width + j + 1]!);
    }
  }
  const fresh = new Set<number>();
  for (let i = 0, j = 0; j < m;) {
    if (i < n && before[i] === after[j]) { i++; j++; }
    else if (i < n && length[(i + 1) * width + j]! >= length[i * width + j + 1]!) i++;
    else fresh.add(j++);
  }
  return fresh;
}
