# repogen's command line, in the current folder:
#   docker build -t repogen .                               (or --build-arg DEVICE=cuda)
#   docker run --rm -v "$PWD:/data" repogen generate first  (with CUDA: --gpus all)
FROM python:3.13-slim-bookworm

# cpu or cuda: which torch is installed. The wheels hold CUDA; the machine needs NVIDIA's driver.
ARG DEVICE=cpu
ARG EXTRAS=train,onnx

WORKDIR /opt/repogen
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src src
RUN if [ "$DEVICE" = cpu ]; then \
        pip install --no-cache-dir ".[$EXTRAS]" -c constraints.txt \
            --extra-index-url https://download.pytorch.org/whl/cpu; \
    else \
        pip install --no-cache-dir ".[$EXTRAS]" -c constraints.txt; \
    fi \
    && useradd --create-home --uid 1000 repogen

ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 1000
WORKDIR /data
ENTRYPOINT ["repogen"]
CMD ["--help"]
