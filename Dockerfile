# Two targets: docker build --target cpu -t reverie .   and   --target cuda -t reverie:cuda
# docs/container.md says how to run them. BASE may be any Debian or Ubuntu with Python 3.11 or newer.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS packages
ARG SYSTEM="python3 python3-venv ca-certificates libegl1 libgl1 libopengl0 libgl1-mesa-dri"
ARG EXTRAS=classic,minigrid,fast
ARG ID=1000
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ${SYSTEM} \
    && rm -rf /var/lib/apt/lists/*
RUN useradd --uid ${ID} --create-home --home-dir /reverie reverie \
    && install -d -o reverie -g reverie /reverie/source /reverie/runs \
        /reverie/.cache /reverie/.cache/jax
USER reverie
ENV HOME=/reverie
ENV PATH=/reverie/venv/bin:/usr/local/bin:/usr/bin:/bin
ENV JAX_COMPILATION_CACHE_DIR=/reverie/.cache/jax
# What the package needs is installed for an empty one: a changed source installs none of it again.
WORKDIR /reverie/source
COPY --chown=reverie:reverie pyproject.toml constraints.txt README.md LICENSE ./
RUN mkdir -p src/reverie \
    && touch src/reverie/__init__.py \
    && python3 -m venv /reverie/venv \
    && pip install --no-cache-dir -c constraints.txt hatchling ".[${EXTRAS}]"

FROM packages AS cuda-packages
RUN pip install --no-cache-dir -c constraints.txt ".[cuda]"

FROM packages AS cpu
COPY --chown=reverie:reverie src src
RUN pip install --no-cache-dir --no-deps --no-build-isolation --force-reinstall .
WORKDIR /reverie
ENTRYPOINT ["reverie"]
CMD ["--help"]

FROM cuda-packages AS cuda
ENV NVIDIA_VISIBLE_DEVICES=all
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics
COPY --chown=reverie:reverie src src
RUN pip install --no-cache-dir --no-deps --no-build-isolation --force-reinstall .
WORKDIR /reverie
ENTRYPOINT ["reverie"]
CMD ["--help"]
