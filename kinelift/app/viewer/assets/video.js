/** The video beside the 3D view: the first file that the browser can play, or one that the user opens. */
import { find, make } from "viewer/dom";

/** A picture is wider than the recording's by more than this if a 3D view was drawn at its right. */
const WIDER = 1.1;
/** Seconds by which the length of the right video may differ. */
const SAME_LENGTH = 0.5;

export class VideoPanel {
  constructor(clip, player) {
    this.clip = clip;
    this.player = player;
    this.section = find("#video");
    this.video = find("video", this.section);
    this.choice = find("#which", this.section);
    find(".frame", this.section).style.setProperty("--ratio", clip.size[0] / clip.size[1]);
    find("input[type=file]", this.section).onchange = (event) => this.#open(event.target.files[0]);
    find("select", this.choice).onchange = (event) => this.#show(this.playable[event.target.value]);
  }

  /** Find out which videos can be played, and show the first. */
  async start() {
    const found = await Promise.all(this.clip.videos.map(canPlay));
    this.playable = this.clip.videos.filter((_, index) => found[index]);
    this.#listChoices();
    if (this.playable.length) await this.#show(this.playable[0]);
    else this.#nothing();
  }

  #listChoices() {
    const options = this.playable.map((video, index) => make("option", { value: index }, video.about));
    find("select", this.choice).replaceChildren(...options);
    this.choice.hidden = this.playable.length < 2;
  }

  async #open(file) {
    if (!file) return;
    const video = { url: URL.createObjectURL(file), name: file.name, about: file.name };
    if (!(await canPlay(video))) return this.#say(`This browser cannot play ${file.name}.`);
    this.playable.push(video);
    this.#listChoices();
    find("select", this.choice).value = this.playable.length - 1;
    await this.#show(video);
  }

  async #show({ url, name }) {
    this.player.attach(null);
    this.video.src = url;
    await new Promise((resolve) => this.video.addEventListener("loadeddata", resolve, { once: true }));
    this.#crop();
    const difference = Math.abs(this.video.duration - this.clip.duration);
    const other = difference > SAME_LENGTH + this.clip.duration / 100;
    this.#say(other ? `${name} is ${this.video.duration.toFixed(1)} s long, the recording ${this.clip.duration.toFixed(1)} s.` : "");
    this.section.dataset.state = "ready";
    find("#mute").hidden = false;
    this.player.attach(this.video);
  }

  /** Show only the left part of a video that has the 3D view at its right: the page has its own. */
  #crop() {
    const ratio = this.video.videoWidth / this.video.videoHeight / (this.clip.size[0] / this.clip.size[1]);
    this.video.style.width = ratio > WIDER ? `${100 * ratio}%` : "100%";
  }

  #nothing() {
    this.section.dataset.state = "empty";
    const names = this.clip.videos.map((video) => video.name).join(", ");
    this.#say(names ? `${names}: not beside this page, or this browser cannot play it.` : "No video belongs to this page.");
  }

  #say(text) {
    find(".message", this.section).hidden = !text;
    find(".message p", this.section).textContent = text;
  }
}

/** Whether the browser can play a video, without showing it. */
function canPlay({ url }) {
  const video = make("video", { preload: "metadata" });
  const answer = new Promise((resolve) => {
    video.onloadedmetadata = () => resolve(video.videoWidth > 0);
    video.onerror = () => resolve(false);
  });
  video.src = url;
  return answer;
}
