"use strict";
(() => {
  const LATTICE = 17, MOST = 64;
  const between = (a, b, part) => a + (b - a) * part;
  // Decimals that tell pixels apart.
  const said = (value, step) => value.toFixed(Math.min(9, Math.max(0, Math.ceil(-Math.log10(Math.abs(step) || 1)))));
  const near = (degrees, to) => degrees - 360 * Math.round((degrees - to) / 360);
  const lonlat = (points, u, v) => {
    if (points.length !== LATTICE * LATTICE) return null;
    const [col, row] = [u, v].map((part) => Math.min(LATTICE - 2, Math.floor(part * (LATTICE - 1))));
    const [a, b] = [u * (LATTICE - 1) - col, v * (LATTICE - 1) - row];
    const corners = [0, 1, LATTICE, LATTICE + 1].map((next) => points[row * LATTICE + col + next]);
    if (corners.some(([lon, lat]) => lon === null || lat === null)) return null;
    // Across the dateline.
    const lons = corners.map(([lon]) => near(lon, corners[0][0]));
    const mix = (q) => between(between(q[0], q[1], a), between(q[2], q[3], a), b);
    return [near(mix(lons), 0), mix(corners.map(([, lat]) => lat))];
  };

  for (const box of document.querySelectorAll("[data-map]")) {
    const img = box.querySelector("img");
    if (!img) continue;
    const maps = JSON.parse(box.dataset.map);
    const port = document.createElement("div");
    port.className = "port";
    port.tabIndex = 0;
    port.setAttribute("role", "group");
    port.setAttribute("aria-label", "Map. Plus and minus zoom, arrows move, 0 shows all of it.");
    img.before(port);
    port.append(img);
    img.draggable = false;
    const bar = document.createElement("div");
    bar.className = "bar";
    const told = document.createElement("output");
    let scale = 1, left = 0, top = 0;

    const size = () => [port.clientWidth, port.clientHeight];
    const apply = () => {
      const [width, height] = size();
      left = Math.min(0, Math.max(width * (1 - scale), left));
      top = Math.min(0, Math.max(height * (1 - scale), top));
      img.style.transform = scale === 1 ? "" : `translate(${left}px,${top}px) scale(${scale})`;
      img.style.imageRendering = scale > 3 ? "pixelated" : "";
      port.style.touchAction = scale === 1 ? "pan-y pinch-zoom" : "none";
    };
    const zoom = (factor, x = size()[0] / 2, y = size()[1] / 2) => {
      const next = Math.min(MOST, Math.max(1, scale * factor));
      left = x - ((x - left) * next) / scale;
      top = y - ((y - top) * next) / scale;
      scale = next;
      apply();
    };
    const all = () => zoom(0);
    const at = (event) => {
      const frame = port.getBoundingClientRect();
      return [event.clientX - frame.left, event.clientY - frame.top];
    };
    const tell = (event) => {
      const [x, y] = at(event), [width, height] = size();
      const [u, v] = [(x - left) / scale / width, (y - top) / scale / height];
      const map = maps.find(({ at: [l, t, w, h] }) => u >= l && u <= l + w && v >= t && v <= t + h);
      if (!map) return void (told.value = "");
      const [a, b] = [(u - map.at[0]) / map.at[2], (v - map.at[1]) / map.at[3]];
      const step = (map.x[1] - map.x[0]) / (map.at[2] * width * scale);
      const place = [between(map.x[0], map.x[1], a), between(map.y[1], map.y[0], b)];
      let text = `${said(place[0], step)}, ${said(place[1], step)}`;
      text += map.crs ? ` (${map.crs})` : " (columns, rows)";
      const globe = lonlat(map.lonlat, a, b);
      if (globe) {
        const [from, to] = [map.lonlat[0], map.lonlat[map.lonlat.length - 1]];
        const across = Math.hypot(near(from[0], to[0]) - to[0], from[1] - to[1]);
        const fine = across / Math.hypot(map.at[2] * width, map.at[3] * height) / scale || 1e-4;
        const lat = `${said(Math.abs(globe[1]), fine)}° ${globe[1] < 0 ? "S" : "N"}`;
        text += ` · ${lat} ${said(Math.abs(globe[0]), fine)}° ${globe[0] < 0 ? "W" : "E"}`;
      }
      told.value = text;
    };

    for (const [sign, title, act] of [["+", "Zoom in", () => zoom(1.6)], ["−", "Zoom out", () => zoom(1 / 1.6)], ["All", "Show all of it", all]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.title = title;
      button.addEventListener("click", act);
      bar.append(button);
    }
    bar.append(told);
    told.value = "Click, then scroll to zoom; drag to move.";
    port.after(bar);

    port.addEventListener("wheel", (event) => {
      // The page scrolls on unless the map was chosen.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== port) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)), ...at(event));
      tell(event);
    }, { passive: false });
    const held = new Map();
    port.addEventListener("pointerdown", (event) => {
      held.set(event.pointerId, at(event));
      port.setPointerCapture(event.pointerId);
    });
    for (const end of ["pointerup", "pointercancel"]) port.addEventListener(end, (event) => held.delete(event.pointerId));
    port.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId), now = at(event);
      const other = [...held].find(([id]) => id !== event.pointerId);
      if (before && other) {
        const far = ([x, y]) => Math.hypot(x - other[1][0], y - other[1][1]) || 1;
        zoom(far(now) / far(before), ...other[1]);
      } else if (before) {
        left += now[0] - before[0];
        top += now[1] - before[1];
        apply();
      }
      if (before) held.set(event.pointerId, now);
      tell(event);
    });
    port.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
    port.addEventListener("keydown", (event) => {
      const by = 60;
      const act = {
        "+": () => zoom(1.6), "=": () => zoom(1.6), "-": () => zoom(1 / 1.6), "0": all, Escape: () => port.blur(),
        ArrowLeft: () => (left += by), ArrowRight: () => (left -= by), ArrowUp: () => (top += by), ArrowDown: () => (top -= by),
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      act();
      apply();
      event.preventDefault();
    });
    apply();
  }
})();
