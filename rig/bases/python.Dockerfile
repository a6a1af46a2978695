# Stand-ins for the official Python images; see ../bases.sh.
FROM scratch AS slim
ARG SUITE TARGETARCH PYTHON_VERSION
ADD ${SUITE}-${TARGETARCH}.tar /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LANG=C.UTF-8
ENV PYTHON_VERSION=${PYTHON_VERSION}
# Where the machine's own certificates are: tools from PyPI bring their own bundle otherwise.
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
ARG MARK
LABEL stand-in=${MARK}

FROM slim AS full
RUN apt-get update && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      build-essential python3-dev git libpq-dev libffi-dev libssl-dev pkg-config curl && \
    rm -rf /var/lib/apt/lists/*
