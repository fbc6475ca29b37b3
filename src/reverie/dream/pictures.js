// ---- drawing ----------------------------------------------------------------------------------

function element(name, content, parent) {
  const made = document.createElement(name);
  if (content !== undefined) made.textContent = content;
  if (parent) parent.append(made);
  return made;
}

function bytes(picture) {
  if (!picture.bytes) picture.bytes = Uint8Array.from(atob(picture.rgb), (c) => c.charCodeAt(0));
  return picture.bytes;
}

function paint(canvas, width, height, at) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  for (let i = 0, o = 0; i < 3 * width * height; i += 3, o += 4) {
    image.data[o] = at(i);
    image.data[o + 1] = at(i + 1);
    image.data[o + 2] = at(i + 2);
    image.data[o + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

function put(canvas, picture) {
  const data = bytes(picture);
  paint(canvas, picture.w, picture.h, (i) => data[i]);
}

// Stripes: nobody knows what reality would show.
function unknown(canvas, like) {
  const w = like ? like.w : 16;
  paint(canvas, w, like ? like.h : 16, (i) => (((i / 3) % w) + Math.floor(i / 3 / w)) % 8 < 4 ? 200 : 170);
}

const isPicture = (value) => value && !Array.isArray(value);

function look(found) {
  const dream = found.shown && found.shown[S.key], real = found.real && found.real[S.key];
  return { dream: isPicture(dream) ? dream : null, real: isPicture(real) ? real : found.drawn };
}

function clips(found) {
  const { dream, real } = found ? look(found) : { dream: null, real: null };
  if (!found) {
    for (const id of ["real", "dream", "difference"]) unknown($(id));
    $("cap-real").textContent = $("cap-dream").textContent = "…";
    return;
  }
  $("clips").hidden = !dream && !real;
  $("fig-dream").hidden = $("fig-difference").hidden = !dream;
  $("flip").hidden = !dream;
  if (dream) put($("dream"), dream);
  if (real) put($("real"), real); else unknown($("real"), dream);
  if (dream && real && dream.w === real.w && dream.h === real.h) {
    const a = bytes(dream), b = bytes(real);
    paint($("difference"), dream.w, dream.h, (i) => (a[i] - b[i] + 255) >> 1);
  } else unknown($("difference"), dream);
  $("cap-real").textContent = real ? "Reality" : "Reality: not known here";
  const dreams = lane() && (S.at > 0 || lane().parent !== null);
  const how = S.facts.decodes ? "" : " (nearest stored observation)";
  $("cap-dream").textContent = (dreams ? "Dream" : "The model, while it looks") + how;
}
