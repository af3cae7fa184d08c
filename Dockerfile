# docker build -t modelry .
# docker run -p 8080:8080 -v modelry:/data -e MODELRY_PUBLIC_URL=http://localhost:8080 modelry
#
# The first start logs a sign-in link and the lines for clients; MODELRY_ROOT_PASSWORD and MODELRY_ROOT_TOKEN set both.

FROM rust:1.95-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p modelry

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --home-dir /data modelry && install --directory --owner modelry --mode 700 /data
COPY --from=build /source/target/release/modelry /usr/local/bin/modelry
USER modelry
VOLUME /data
EXPOSE 8080
ENV MODELRY_ADDRESS=0.0.0.0:8080 MODELRY_DATA=/data
ENTRYPOINT ["modelry"]
CMD ["serve"]
