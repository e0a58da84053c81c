/** Moves bytes between places that WebGPU's copies do not take: those copy whole words alone. Each lane owns a word of the destination. */
export const MOVE = `struct Move { to: u32, from_: u32, bytes: u32 }
@group(0) @binding(0) var<storage, read_write> destination: array<u32>;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<uniform> move_: Move;
@compute @workgroup_size(64)
fn move_bytes(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let word = (move_.to >> 2u) + (group.x + group.y * groups.x) * 64u + lane;
  if (word * 4u >= move_.to + move_.bytes) { return; }
  var bits = destination[word];
  for (var i = 0u; i < 4u; i++) {
    let at = word * 4u + i;
    if (at < move_.to || at >= move_.to + move_.bytes) { continue; }
    let from_ = at - move_.to + move_.from_;
    bits = insertBits(bits, source[from_ >> 2u] >> ((from_ & 3u) * 8u), i * 8u, 8u);
  }
  destination[word] = bits;
}
`;
