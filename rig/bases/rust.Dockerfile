# Stand-in for the official Rust image; see ../bases.sh.
FROM python:3.11
ADD toolchain.tar /usr/local/rust
ENV PATH=/usr/local/rust/bin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ARG MARK
LABEL stand-in=${MARK}
