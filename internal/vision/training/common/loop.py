"""One training loop for every model: AdamW, cosine with warm-up, EMA, bf16, checkpoints, resume."""
import argparse
import os
import time

import numpy as np
import torch


class Ema:
    """Moving average of weights and batch statistics, with a warm start."""

    def __init__(self, model, decay=0.9985):
        self.decay, self.n = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model):
        self.n += 1
        d = min(self.decay, (1 + self.n) / (10 + self.n))
        for k, v in model.state_dict().items():
            if v.dtype.is_floating_point:
                self.state[k].mul_(d).add_(v.detach(), alpha=1 - d)
            else:
                self.state[k].copy_(v)


def autocast():
    """Half precision where the processor multiplies it; elsewhere PyTorch imitates it and takes three times as long."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            able = "bf16" in f.read()
    except OSError:
        able = False
    return torch.autocast("cpu", dtype=torch.bfloat16, enabled=able)


def parameters_m(model):
    """Number of weights in millions."""
    return sum(p.numel() for p in model.parameters()) / 1e6


def arguments(description, minutes, batch, lr):
    """The options that all trainers share."""
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--data", help="data folder (default: GATEHOUSE_DATA)")
    p.add_argument("--out", default="runs", help="folder of checkpoints")
    p.add_argument("--steps", type=int, default=0, help="steps in all; 0 plans them from --minutes")
    p.add_argument("--minutes", type=float, default=minutes)
    p.add_argument("--batch", type=int, default=batch)
    p.add_argument("--lr", type=float, default=lr)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    p.add_argument("--start", help="begin with these weights (fine-tuning)")
    return p


def train(name, model, make_batch, loss_of, args, report=None, every=200):
    """Trains model for a planned number of steps, or of minutes (the schedule then follows the clock).

    make_batch(rng) gives a tuple of tensors; loss_of(model, batch) a scalar and a dict of parts. With --steps a run
    is repeatable bit by bit; with --minutes it depends on the machine's speed. The best-known weights are the EMA's.
    """
    os.makedirs(args.out, exist_ok=True)
    path = os.path.join(args.out, name + ".pt")
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    model = model.to(memory_format=torch.channels_last)
    if args.start:
        lacking, extra = model.load_state_dict(weights(args.start), strict=False)
        print(f"{name} starts from {args.start}, without {lacking}, leaving out {extra}", flush=True)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    opt = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0}], lr=args.lr)
    ema, step, spent = Ema(model), 0, 0.0
    if args.resume and os.path.exists(path):
        c = torch.load(path)
        model.load_state_dict(c["model"])
        opt.load_state_dict(c["opt"])
        ema.state, ema.n, step, spent = c["ema"], c["n"], c["step"], c["spent"]
        rng = np.random.default_rng(args.seed + step)
    parts, began, saved = {}, time.monotonic() - spent, time.monotonic()
    while True:
        spent = time.monotonic() - began
        done = step / args.steps if args.steps else spent / (60 * args.minutes)
        if done >= 1:
            break
        lr = args.lr * min(1, (step + 1) / 200) * (0.5 * (1 + np.cos(np.pi * done)) * 0.99 + 0.01)
        for g in opt.param_groups:
            g["lr"] = lr
        model.train()
        loss, named = loss_of(model, make_batch(rng))
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        opt.step()
        ema.update(model)
        step += 1
        for k, v in named.items():
            parts[k] = parts.get(k, 0) + float(v)
        if step % every == 0:
            text = " ".join(f"{k} {v / every:.4f}" for k, v in parts.items())
            print(f"{name} step {step} {spent / 60:.1f} min lr {lr:.5f} {text}", flush=True)
            parts = {}
        if time.monotonic() - saved > 120:
            save(path, model, opt, ema, step, spent)
            saved = time.monotonic()
            if report:
                report(ema)
    save(path, model, opt, ema, step, spent)
    if report:
        report(ema)
    return path


def save(path, model, opt, ema, step, spent):
    """Writes the checkpoint in one rename."""
    torch.save({"model": model.state_dict(), "opt": opt.state_dict(), "ema": ema.state, "n": ema.n, "step": step,
                "spent": spent}, path + ".new")
    os.replace(path + ".new", path)


def weights(path):
    """The averaged weights of a checkpoint, or those that stand beside a shipped model."""
    if path.endswith(".npz"):
        with np.load(path) as kept:
            return {k: torch.from_numpy(v) for k, v in kept.items()}
    return torch.load(path)["ema"]


def keep(model, path):
    """Writes a model's weights, for measuring and fine-tuning where the checkpoint is not."""
    np.savez_compressed(path, **{k: v.numpy() for k, v in model.state_dict().items()})


def load(model, path):
    """The averaged weights of a checkpoint, ready for use."""
    model.load_state_dict(weights(path))
    return model.eval()
