FROM python:3.12-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Dependencies first: this layer stays as long as they do.
COPY requirements.txt requirements-build.txt ./
RUN python -m pip install --require-hashes -r requirements-build.txt \
 && python -m venv /opt/stembot \
 && /opt/stembot/bin/python -m pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY providers providers
COPY sandbox sandbox
COPY storage storage
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
 && /opt/stembot/bin/python -m pip install --no-deps /wheels/*.whl

FROM python:3.12-slim
RUN useradd --system --uid 10001 --home-dir /data --create-home stembot
COPY --from=build /opt/stembot /opt/stembot
ENV PATH=/opt/stembot/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DATABASE_URL=sqlite:////data/stembot.db \
    HTTP_HOST=0.0.0.0
USER stembot
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# The opener without proxies: a proxy for the bot's own traffic must not be asked for this machine.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 CMD ["python", "-c", \
  "import os, urllib.request as r; r.build_opener(r.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ.get('HTTP_PORT') or 8080}/healthz\", timeout=8)"]
ENTRYPOINT ["stembot"]
CMD ["run"]
