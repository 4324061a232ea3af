import Theme from "vitepress/theme";
import Calculator from "./Calculator.vue";

export default { extends: Theme, enhanceApp: ({ app }) => app.component("Calculator", Calculator) };
