# syntax=docker/dockerfile:1

# Kinelift for a host with an NVIDIA GPU (driver for CUDA 13, container toolkit), Detectron2 included.
#
#   docker build -t kinelift .
#   docker run --rm --gpus all -v "$PWD:/data" kinelift run /data/dance.mp4
#
# Results lie in the mounted folder and belong to user 1000; for another owner add: --user "$(id -u):$(id -g)"
# Weights for detection are in the image. Others are fetched to /home/kinelift/weights: mount a volume there to keep them.

# The CUDA that the pinned torch is built with, so that nvcc and torch agree.
ARG CUDA=13.0.2
ARG UBUNTU=24.04


FROM nvidia/cuda:${CUDA}-devel-ubuntu${UBUNTU} AS build

# System packages follow the base image: the archive keeps no old versions to pin.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ git libgl1 libglib2.0-0t64 ninja-build python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1

# Slowest and least often changed first: packages, Detectron2, weights, our code.
COPY requirements /src/requirements
WORKDIR /src
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --no-deps --require-hashes --only-binary :all: -r requirements/runtime.lock \
    && pip install --no-deps --require-hashes --no-build-isolation -r requirements/detectron2.lock \
    && pip install -r requirements/torch.lock -r requirements/torchvision.lock \
    && pip check

# No GPU is visible while an image is built: say which to build for (Turing to Blackwell, later ones through PTX).
ARG DETECTRON2=02b5c4e295e990042a714712c21dc79b731e8833
ARG TORCH_CUDA_ARCH_LIST="7.5 8.0 8.6 8.9 9.0 10.0 12.0+PTX"
ARG MAX_JOBS=4
RUN FORCE_CUDA=1 pip install --no-cache-dir --no-deps --no-build-isolation \
        "git+https://github.com/facebookresearch/detectron2@${DETECTRON2}" \
    && python -c "import torch, detectron2._C"

# What fetches the weights, and no more: they are fetched anew only when this changes.
COPY kinelift/poses kinelift/poses
COPY kinelift/weights kinelift/weights
RUN --mount=type=cache,target=/root/.cache/pip KINELIFT_CACHE=/opt/weights \
    python -c "from kinelift.weights.store import fetch; \
        [fetch(name) for name in ('movenet-multipose', 'blazepose-full', 'blazepose-heavy')]"

COPY kinelift/models kinelift/models
COPY kinelift/detectors kinelift/detectors
RUN KINELIFT_CACHE=/opt/weights \
        python -c "from kinelift.detectors.detectron2.keypoint_rcnn import load; load('R50-FPN')"

COPY pyproject.toml README.md LICENSE NOTICE ./
COPY kinelift kinelift
RUN pip install --no-cache-dir --no-deps --no-build-isolation .


# torch's wheels bring cuBLAS, cuDNN and the rest, so the small CUDA image is enough to run.
FROM nvidia/cuda:${CUDA}-base-ubuntu${UBUNTU}

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ffmpeg libgl1 libglib2.0-0t64 python3 \
    && rm -rf /var/lib/apt/lists/*

COPY --from=build /opt/weights /opt/weights
COPY --from=build /opt/venv /opt/venv

# Only user 1000 can write to this home. Another --user needs no home, and fetches weights to a folder of their own with
# -e KINELIFT_CACHE=/data/weights. Libraries that ask for a user name get one.
RUN install --directory --owner=1000 --group=1000 /home/kinelift /home/kinelift/weights
ENV PATH=/opt/venv/bin:$PATH \
    HOME=/home/kinelift \
    USER=kinelift \
    KINELIFT_IMAGE=kinelift \
    KINELIFT_WEIGHTS=/opt/weights \
    KINELIFT_CACHE=/home/kinelift/weights \
    PYTHONUNBUFFERED=1

WORKDIR /data
USER 1000:1000
ENTRYPOINT ["kinelift"]
CMD ["--help"]
