/** The application: a header, and the page that the address names. */

import "@fontsource-variable/inter";
import "./style/base.css";
import "./style/parts.css";
import "./style/image.css";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { BrowsePage } from "./pages/browse.tsx";
import { HomePage } from "./pages/home.tsx";
import { ImagePage } from "./pages/image.tsx";
import { UnknownPage } from "./pages/unknown.tsx";
import { Header } from "./parts/header.tsx";
import { last, type Page, pageOf } from "./paths.ts";
import { Router, useHere } from "./router.tsx";

function App() {
  const { pathname } = useHere();
  const page = pageOf(pathname);
  const title = titleOf(page);
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header page={page} />
      <main id="main">
        <Shown page={page} />
      </main>
      <footer class="foot">
        <a href="/reference/">REST part</a>
        <a href="/third-party-notices.txt">Third-party notices</a>
      </footer>
    </>
  );
}

function Shown({ page }: { page: Page }) {
  switch (page.page) {
    case "home":
      return <HomePage />;
    case "browse":
      return <BrowsePage key={page.path} path={page.path} />;
    case "image":
      return <ImagePage key={page.path} path={page.path} />;
    case "unknown":
      return <UnknownPage path={page.path} />;
  }
}

function titleOf(page: Page): string {
  return page.page === "home" ? "Diascope" : `${last(page.path)} · Diascope`;
}

const root = document.getElementById("app");
if (root) {
  render(
    <Router>
      <App />
    </Router>,
    root,
  );
}
