"""What holds besides the values: errors, streams, devices, graph capture, no waiting, the same bits twice."""
import torch

from . import report
from .compare import difference, normal, ops, run_lif


def _inputs(device, shape=(16, 20, 256)):
    return normal(shape, 1).mul(2).to(device), torch.tensor(0.9, device=device), torch.tensor(0.5, device=device)


def parameters_on_the_cpu(device):
    """One value on the CPU is taken as it is; one a channel there is refused."""
    current, decay, threshold = _inputs(device)
    expected = ops.lif(current, decay, threshold)[0]
    wrong = difference("spikes", ops.lif(current, decay.cpu(), threshold.cpu().double())[0], expected.cpu(), 0)
    if device == "cpu":
        return wrong
    for name, arguments in (("decay", (torch.full((256,), 0.9), threshold)), ("threshold", (decay, torch.ones(256)))):
        try:
            ops.lif(current, *arguments)
            wrong.append(f"{name} a channel on the CPU was taken")
        except Exception as error:
            if f"ERR_DEVICE: lif {name} is on cpu" not in str(error):
                wrong.append(f"{name} on the CPU: {str(error).splitlines()[0]}")
    return wrong


def same_bits(device):
    current, decay, threshold = _inputs(device, (64, 40, 1024))
    first, second = (run_lif(current, decay, threshold, None, device) for _ in range(2))
    names = ("current", "decay", "threshold")
    return [f"gradient of the {name} differs" for name, a, b in zip(names, first[1], second[1]) if not torch.equal(a, b)]


def another_stream(device):
    """The kernels run after what their stream holds already, and not on the default stream."""
    current, decay, threshold = _inputs(device, (64, 40, 1024))
    expected = ops.lif(current, decay, threshold)[0]
    late = torch.zeros_like(current)
    torch.cuda.synchronize()
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(200_000_000)  # about 0.1 s
        late.copy_(current, non_blocking=True)
        spikes = ops.lif(late, decay, threshold)[0]
    wrong = [] if not stream.query() else ["the stream was idle: nothing was shown"]
    stream.synchronize()
    return wrong + difference("spikes", spikes, expected.cpu(), 0)


def no_waiting(device):
    """Nothing reads a value of the device back: PyTorch raises where it would."""
    current, decay, threshold = _inputs(device)
    statistics = [torch.zeros(8, device=device), torch.ones(8, device=device)]
    weights = [torch.ones(8, device=device, requires_grad=True), torch.zeros(8, device=device, requires_grad=True)]
    image = normal((4, 5, 8, 6, 6), 2).to(device)
    torch.cuda.set_sync_debug_mode("error")
    try:
        for arguments in ((current, decay, threshold), (current, decay.cpu(), threshold.cpu())):
            leaf = current.detach().requires_grad_(True)
            ops.lif(leaf, *arguments[1:])[0].sum().backward()
        ops.leaky_integrate(current, decay)
        ops.surrogate(current.detach().requires_grad_(True), "atan", 2.0).sum().backward()
        ops.spike_norm(image, *weights, *statistics, True).sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.cuda.synchronize()
    return []


def graph(device):
    """Captured once, replayed with other inputs."""
    current, decay, threshold = _inputs(device)
    static = current.clone().requires_grad_(True)

    def step():
        spikes = ops.lif(static, decay, threshold)[0]
        return spikes, *torch.autograd.grad((spikes * spikes).sum(), [static])

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        step()
    torch.cuda.current_stream().wait_stream(side)
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        results = step()
    with torch.no_grad():
        static.copy_(current.flip(0))
    captured.replay()
    torch.cuda.synchronize()
    found = [value.clone() for value in results]
    expected = step()
    return [line for name, a, b in zip(("spikes", "gradient"), found, expected)
            for line in difference(name, a, b.detach().cpu(), 0)]


def second_device(device):
    """Tensors of a device that is not the current one; afterwards the current one is as it was."""
    current, decay, threshold = _inputs("cuda:0")
    expected = ops.lif(current, decay, threshold)[0].cpu()
    spikes = ops.lif(*_inputs("cuda:1"))[0]
    wrong = difference("spikes on cuda:1", spikes, expected, 0)
    if torch.cuda.current_device() != 0:
        wrong.append(f"the current device became {torch.cuda.current_device()}")
    try:
        ops.lif(current, decay.to("cuda:1"), threshold)
        wrong.append("a decay on another device was taken")
    except Exception as error:
        if "ERR_DEVICE" not in str(error):
            wrong.append(str(error).splitlines()[0])
    return wrong


def out_of_memory(device):
    """Typed, by libtorch's own allocator."""
    current = torch.zeros((1, 1, 1 << 20), device=device)
    try:
        ops.lif(current, torch.tensor(0.9), torch.tensor(0.5), steps=1 << 20)
        return ["4 TiB of spikes were allocated"]
    except torch.OutOfMemoryError:
        return []


def beyond_32_bits(device):
    """More than 2^31 elements: the last sample is what it is alone."""
    current = torch.empty((129, 4, 1 << 22), dtype=torch.bfloat16, device=device).normal_()
    decay, threshold = torch.tensor(0.9), torch.tensor(0.5)
    spikes = ops.lif(current, decay, threshold)[0]
    return difference("spikes of the last sample", spikes[-1:], ops.lif(current[-1:].cpu(), decay, threshold)[0], 0)


def run(options, files):
    device = options.device
    report.check("decay and threshold on the CPU", lambda: parameters_on_the_cpu(device))
    report.check("the same bits twice, gradients of parameters included", lambda: same_bits(device))
    if device == "cpu":
        report.skip("streams, waiting, graphs, devices, memory", "they need a GPU")
        return
    report.check("another stream than the default one", lambda: another_stream(device))
    report.check("no reading back, no waiting", lambda: no_waiting(device))
    report.check("CUDA graph capture and replay", lambda: graph(device))
    if torch.cuda.device_count() > 1:
        report.check("a second device", lambda: second_device(device))
    else:
        report.skip("a second device", "there is one GPU")
    if options.quick:
        report.skip("memory: too much of it, and 2^31 elements", "--quick")
        return
    report.check("too much memory is torch's typed error", lambda: out_of_memory(device))
    if torch.cuda.mem_get_info()[0] > 12e9:
        report.check("more than 2^31 elements", lambda: beyond_32_bits(device))
    else:
        report.skip("more than 2^31 elements", "less than 12 GB are free")
