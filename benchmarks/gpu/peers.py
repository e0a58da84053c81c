"""What NVIDIA's libraries do on this GPU, asked one measurement at a time: a JSON request a line in, a JSON answer a line out.

PyTorch brings them: cuBLAS and cuBLASLt (gemm), cuDNN and flash-attention 2 (attention), its own kernels (copy, sum, softmax, rms_norm, transpose).
Random data, a warm-up, then `reps` bursts timed by events; the answer holds the milliseconds of one call in each burst. Inputs beyond the second-level
cache are used as they are; smaller ones rotate over copies that together exceed it, where `rotate` says so.

  {"op": "gemm", "dtype": "bf16", "m": 4096, "n": 4096, "k": 4096}     dtype: f32 (no tf32) tf32 f64 f16 bf16 i8
  {"op": "attention", "backend": "flash" | "cudnn", "b": 1, "h": 32, "s": 4096, "d": 128, "causal": true}
  {"op": "copy" | "sum", "bytes": 4e9}   {"op": "softmax" | "rms_norm" | "transpose", "rows": 8192, "cols": 8192}
  {"op": "device"}   {"op": "quit"}
"""
import json
import sys

import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

TYPES = {"f32": torch.float32, "tf32": torch.float32, "f64": torch.float64, "f16": torch.float16, "bf16": torch.bfloat16}
prepared = {}


def gemm(q):
    m, n, k, t = q["m"], q["n"], q["k"], q["dtype"]
    if t == "i8":
        a = torch.randint(-128, 128, (m, k), dtype=torch.int8, device="cuda")
        b = torch.randint(-128, 128, (n, k), dtype=torch.int8, device="cuda").t()  # the layout that cuBLASLt's int8 kernels take
        return lambda: torch._int_mm(a, b)
    a = torch.randn(m, k, device="cuda", dtype=TYPES[t])
    b = torch.randn(k, n, device="cuda", dtype=TYPES[t])
    c = torch.empty(m, n, device="cuda", dtype=TYPES[t])

    def run():
        torch.backends.cuda.matmul.allow_tf32 = t == "tf32"
        torch.mm(a, b, out=c)
    return run


def attention(q):
    shape = (q.get("b", 1), q["h"], q["s"], q["d"])
    x, y, z = (torch.randn(shape, device="cuda", dtype=TYPES[q.get("dtype", "bf16")]) for _ in range(3))
    backend = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}[q["backend"]]

    def run():
        with sdpa_kernel(backend):
            F.scaled_dot_product_attention(x, y, z, is_causal=q.get("causal", True))
    return run


def stream(q):
    op = q["op"]
    if op in ("copy", "sum"):
        n = int(q["bytes"]) // 4
        x = torch.randn(n, device="cuda")
        if op == "sum":
            return lambda: torch.sum(x)
        y = torch.empty_like(x)
        return lambda: y.copy_(x)
    x = torch.randn(q["rows"], q["cols"], device="cuda")
    if op == "softmax":
        return lambda: torch.softmax(x, dim=1)
    if op == "rms_norm":
        w = torch.randn(q["cols"], device="cuda")
        return lambda: F.rms_norm(x, (q["cols"],), w, 1e-5)
    y = torch.empty(q["cols"], q["rows"], device="cuda")
    return lambda: y.copy_(x.t())


def measure(q):
    key = json.dumps({k: v for k, v in q.items() if k not in ("id", "reps", "burst")}, sort_keys=True)
    if key not in prepared:
        prepared.clear()  # one problem's memory at a time
        torch.cuda.empty_cache()
        run = gemm(q) if q["op"] == "gemm" else attention(q) if q["op"] == "attention" else stream(q)
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
            "torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}


for line in sys.stdin:
    request = json.loads(line)
    if request["op"] == "quit":
        break
    try:
        answer = device() if request["op"] == "device" else measure(request)
    except Exception as error:  # the harness records what a peer cannot do
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps({"id": request.get("id"), **answer}), flush=True)
