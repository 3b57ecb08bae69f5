// The images of the dataset, a page at a time. The address after # holds what is shown.
const data = JSON.parse(document.getElementById("images").textContent);
const form = document.getElementById("filters"), grid = document.getElementById("grid");
const names = ["view", "elevation", "visible", "least", "most", "order", "per", "page", "skeletons"];
const field = (name) => form.elements[name];
const make = (tag, attributes = {}, ...children) => {
  const svg = ["svg", "line", "circle"].includes(tag);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const fits = (person) => {
  const [visible, side, elevation] = person, band = field("elevation").value;
  const [low, high] = band ? band.split(" ").map(Number) : [-90, 90];
  return visible >= Number(field("visible").value || 0)
    && side >= Number(field("least").value || 0)
    && side <= Number(field("most").value || Infinity)
    && elevation >= low && (elevation < high || (high === 90 && elevation <= 90));
};
const orders = {
  id: (image) => image.id,
  visible: (image) => Math.min(...image.people.map((p) => p[0])),
  small: (image) => Math.min(...image.people.map((p) => p[1])),
  large: (image) => -Math.max(...image.people.map((p) => p[1])),
};
const skeleton = (image) => {
  const size = Math.max(image.width, image.height) / 100;
  const svg = make("svg", { viewBox: `0 0 ${image.width} ${image.height}` });
  for (const [, , , joints] of image.people) {
    const at = (k) => joints.slice(3 * k, 3 * k + 3);
    for (const [a, b, color] of data.limbs) {
      const [[x1, y1, v1], [x2, y2, v2]] = [at(a), at(b)];
      if (v1 && v2) svg.append(make("line", { x1, y1, x2, y2, stroke: color, "stroke-width": size * 0.8 }));
    }
    data.colors.forEach((color, k) => {
      const [cx, cy, v] = at(k);
      const fill = v === 1 ? "#fff" : color;
      if (v) svg.append(make("circle", { cx, cy, r: size, fill, stroke: color, "stroke-width": size * 0.5 }));
    });
  }
  return svg;
};
const tile = (image) => {
  const name = image.copy ? "data:image/jpeg;base64," + image.copy
    : data.folder + String(image.id).padStart(8, "0") + ".jpg";
  const people = image.people.map(([visible, side]) => `${visible} visible, ${side} px`).join("; ");
  const picture = make("img", { src: name, alt: `image ${image.id}`, loading: "lazy",
    width: image.width, height: image.height });
  const link = make("a", image.copy ? {} : { href: name, target: "_blank" }, picture);
  if (field("skeletons").checked) link.append(skeleton(image));
  const caption = make("figcaption", {}, `${image.id} ${data.views[image.view]}: ${people}`);
  return make("figure", {}, link, caption);
};
const show = () => {
  const view = field("view").value, order = orders[field("order").value];
  const found = data.images
    .filter((image) => (view === "" || data.views[image.view] === view) && image.people.some(fits))
    .sort((a, b) => order(a) - order(b) || a.id - b.id);
  const per = Number(field("per").value), pages = Math.max(1, Math.ceil(found.length / per));
  const page = Math.min(Math.max(1, Number(field("page").value) || 1), pages);
  field("page").value = page;
  field("page").max = pages;
  document.getElementById("count").textContent =
    `${found.length} of ${data.images.length} images, page ${page} of ${pages}`;
  document.getElementById("back").disabled = page <= 1;
  document.getElementById("on").disabled = page >= pages;
  grid.replaceChildren(...found.slice((page - 1) * per, page * per).map(tile));
  const said = names.map((name) => [name, name === "skeletons" ? Number(field(name).checked) : field(name).value]);
  history.replaceState(null, "", "#" + new URLSearchParams(said.filter(([, value]) => value !== "")));
};
const read = () => {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (name === "skeletons") field(name).checked = value === "1";
    else if (names.includes(name)) field(name).value = value;
  }
  show();
};
form.addEventListener("input", (event) => {
  if (event.target.name !== "page") field("page").value = 1;
  show();
});
form.addEventListener("submit", (event) => event.preventDefault());
for (const [id, step] of [["back", -1], ["on", 1]])
  document.getElementById(id).addEventListener("click", () => {
    field("page").value = Number(field("page").value) + step;
    show();
    scrollTo(0, 0);
  });
addEventListener("hashchange", read);
read();
