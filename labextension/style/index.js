import './base.css';
import './form.css';
import './panel.css';
import './gpus.css';
import './diagnosis.css';
import './recipes.css';
