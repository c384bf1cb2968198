# An image for CPUs that reads: `docker build -t recognizer .`, `docker run --rm -p 8000:8000 recognizer`.
FROM python:3.12-slim

RUN apt-get update && apt-get install -y --no-install-recommends libsndfile1 && rm -rf /var/lib/apt/lists/*

# A build of torch for CPUs is a tenth of the size of the one for GPUs; give the address of an index that has it.
ARG TORCH_INDEX=""
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY recognizer recognizer
COPY datasets datasets
COPY configs configs
RUN python -m venv /venv \
    && if [ -n "$TORCH_INDEX" ]; then /venv/bin/pip install --no-cache-dir --index-url "$TORCH_INDEX" torch torchaudio; fi \
    && /venv/bin/pip install --no-cache-dir ".[web,onnx]" && rm -rf /src

RUN useradd --create-home reader
USER reader
WORKDIR /home/reader
ENV PATH=/venv/bin:$PATH
EXPOSE 8000
# 0.0.0.0 is the container's own network: what is reachable from outside is what `docker run -p` publishes.
ENTRYPOINT ["recognizer"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
