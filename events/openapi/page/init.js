"use strict";
// Only this server is asked: the Content-Security-Policy allows no other, and the validator of swagger.io is switched off.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#swagger-ui",
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    defaultModelRendering: "example",
    displayRequestDuration: true,
    tryItOutEnabled: false,
    validatorUrl: null,
  });
});
