export { type ClusterOptions, clusterEmbeddings } from './cluster-embeddings.js';
export { type ClusteringScores, clusteringScores } from './clustering-scores.js';
export { type Gallery, type RetrievalOptions, type RetrievalScores, retrievalScores } from './retrieval-scores.js';
export { type EmbeddingScores, type ScoreOptions, scoreEmbeddings } from './score-embeddings.js';
