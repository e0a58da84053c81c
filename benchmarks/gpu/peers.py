"""What NVIDIA's libraries do on this GPU, asked one measurement at a time: a JSON request a line in, a JSON answer a line out.

PyTorch brings them: cuBLAS and cuBLASLt (gemm), FlashAttention 2 and cuDNN (attention), its own kernels (copy, sum). Random data, a warm-up, then `reps` bursts of `burst` calls timed by events;
the answer holds the milliseconds of one call in each burst.

  {"op": "gemm", "dtype": "bf16", "m": 4096, "n": 4096, "k": 4096, "transposed": true}
      dtype: f32 (no tf32) tf32 f64 f16 bf16 i8; transposed: the second factor lies in rows along k, as int8 always does
  {"op": "attention", "backend": "flash" | "cudnn", "dtype": "bf16", "h": 32, "s": 4096, "d": 128, "causal": true}
  {"op": "copy" | "sum", "bytes": 4e9}      copy reads and writes so many bytes, sum reads them
  {"op": "error", "files": [a, b, c], "n": 4096, "transposed": true}      c = a b of float32 in files: its error and cuBLAS's (no tf32) against float64, in units of
      2^-24 of the sum of magnitudes |a| |b|: the largest and the root of the mean square
  {"op": "device"}   {"op": "quit"}
"""
import json
import sys
from contextlib import contextmanager

try:
    import torch
except ImportError as error:
    sys.exit(f"PyTorch is not there: {error}")

TYPES = {"f32": torch.float32, "tf32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}
prepared = {}


def gemm(q):
    m, n, k, t = q["m"], q["n"], q["k"], q["dtype"]
    if t == "i8":
        a = torch.randint(-128, 128, (m, k), dtype=torch.int8, device="cuda")
        b = torch.randint(-128, 128, (n, k), dtype=torch.int8, device="cuda").t()  # the layout that cuBLASLt's int8 kernels take
        return lambda: torch._int_mm(a, b)
    a = torch.randn(m, k, device="cuda", dtype=TYPES[t])
    b = torch.randn(n, k, device="cuda", dtype=TYPES[t]).t() if q.get("transposed") else torch.randn(k, n, device="cuda", dtype=TYPES[t])
    c = torch.empty(m, n, device="cuda", dtype=TYPES[t])
    return lambda: torch.mm(a, b, out=c)


def attention(q):
    from torch.nn.attention import SDPBackend, sdpa_kernel
    backend = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}[q["backend"]]
    x = [torch.randn(1, q["h"], q["s"], q["d"], device="cuda", dtype=TYPES[q["dtype"]]) for _ in range(3)]

    def run():
        with sdpa_kernel(backend):
            torch.nn.functional.scaled_dot_product_attention(*x, is_causal=q["causal"])
    return run


def stream(q):
    x = torch.randn(int(q["bytes"]) // 4, device="cuda")
    if q["op"] == "sum":
        return lambda: torch.sum(x)
    y = torch.empty_like(x)
    return lambda: y.copy_(x)


def errors(q):
    n = q["n"]
    a, b, c = (torch.from_file(f, size=n * n, dtype=torch.float32).reshape(n, n).cuda() for f in q["files"])
    b = b.t() if q.get("transposed") else b
    theirs = torch.mm(a, b).double()
    want, size = torch.mm(a.double(), b.double()), torch.mm(a.double().abs(), b.double().abs())

    def of(x):
        e = (x - want).abs() / size * 2**24
        return {"max": e.max().item(), "rms": e.square().mean().sqrt().item()}
    return {"ours": of(c.double()), "theirs": of(theirs)}


@contextmanager
def tf32(allowed):
    """Products of float32 by way of tf32: for the requests that name it and for no other."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def measure(q):
    key = json.dumps({k: v for k, v in q.items() if k not in ("reps", "burst")}, sort_keys=True)
    if key not in prepared:
        if len(prepared) > 1:
            prepared.clear()  # two problems' memory at a time: peers of one problem are asked in turns
        torch.cuda.empty_cache()
        run = {"gemm": gemm, "attention": attention, "copy": stream, "sum": stream}[q["op"]](q)
        for _ in range(3):
            run()
        torch.cuda.synchronize()
        prepared[key] = run
    run, out = prepared[key], []
    for _ in range(q.get("reps", 5)):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        for _ in range(q.get("burst", 10)):
            run()
        end.record()
        end.synchronize()
        out.append(begin.elapsed_time(end) / q.get("burst", 10))
    return {"ms": out}


def device():
    p = torch.cuda.get_device_properties(0)
    return {"name": p.name, "multiprocessors": p.multi_processor_count, "l2Bytes": p.L2_cache_size, "memoryBytes": p.total_memory,
            "torch": torch.__version__, "cuda": torch.version.cuda}


for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "quit":
        break
    try:
        with tf32(request.get("dtype") == "tf32"):
            answer = {"device": lambda _: device(), "error": errors}.get(request["op"], measure)(request)
    except Exception as error:  # the harness records what a peer cannot do
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
